"""The pattern of requests that are the path of their file: it finds what lies in the cache, and nothing else."""

from string import ascii_letters, digits

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gateway.canonical import canonical_path
from gateway.errors import Refused
from gateway.names import disk_path, parse
from gateway.rules import FORMATS
from gateway.vectors import vectors
from tests.gateway.requests import RULES, raw_requests, steady, written_recipes

first = st.sampled_from(ascii_letters + digits + "_~=,:+-")
rest = st.text(ascii_letters + digits + "._~=,:+@-", max_size=9)
plain_images = st.lists(st.tuples(first, rest).map("".join), min_size=1, max_size=4).map("/".join)


@pytest.mark.parametrize("row", vectors()["canonical"], ids=lambda row: ascii(row["request"]))
def test_the_vectors_hold(row: dict[str, str]) -> None:
    assert (canonical_path(row["request"], RULES) or "none") == row["is"]


@steady
@given(plain_images, written_recipes(), st.sampled_from(FORMATS))
def test_every_canonical_name_of_a_plain_image_is_found_at_its_path(
    image: str, recipe: dict[str, str], format: str
) -> None:
    leaf = ",".join(f"{key}={value}" for key, value in recipe.items()) or "full"
    try:
        name = parse(f"{image}/@{leaf}.{format}".replace("#", "%23"), "", RULES)
    except Refused:
        assume(False)

    assert canonical_path(f"/images/{name}", RULES) == f"/{name}"


@steady
@given(plain_images, written_recipes(), st.sampled_from(FORMATS))
def test_at_the_path_of_what_is_not_canonical_lies_no_file(image: str, recipe: dict[str, str], format: str) -> None:
    path = f"{image}/@{','.join(f'{key}={value}' for key, value in recipe.items()) or 'full'}.{format}"
    found = canonical_path(f"/images/{path}", RULES)
    try:
        name = parse(path.replace("#", "%23"), "", RULES)
    except Refused:
        return  # it has no file

    assert found in (f"/{path}", None)
    assert disk_path(name) != path or str(name) == path


@steady
@given(raw_requests())
def test_nothing_is_found_for_a_request_that_has_to_be_decoded_or_decided(request: tuple[str, str]) -> None:
    path, query = request
    found = canonical_path(f"/images/{path}?{query}" if query else f"/images/{path}", RULES)

    assert found in (f"/{path}", None)
    assert found is None or (query == "" and "%" not in path and found.rpartition(".")[2] in FORMATS)
