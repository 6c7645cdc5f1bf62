"""The pattern of requests that are the path of their file: it finds what lies in the cache, and nothing else."""

import re
from dataclasses import replace
from string import ascii_letters, digits

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gateway.cache_tag import image_tag
from gateway.canonical import canonical_path, canonical_patterns
from gateway.errors import Refused
from gateway.names import disk_path, parse
from gateway.rules import FORMATS
from gateway.vectors import vectors
from tests.gateway.requests import RULES, raw_requests, written_recipes

first = st.sampled_from(ascii_letters + digits + "_~=,:+-")
rest = st.text(ascii_letters + digits + "._~=,:+@-", max_size=9)
plain_images = st.lists(st.tuples(first, rest).map("".join), min_size=1, max_size=4).map("/".join)


@pytest.mark.parametrize("row", vectors()["canonical"], ids=lambda row: ascii(row["request"]))
def test_the_vectors_hold(row: dict[str, str]) -> None:
    assert (canonical_path(row["request"], RULES) or "none") == row["is"]


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


@given(raw_requests())
def test_nothing_is_found_for_a_request_that_has_to_be_decoded_or_decided(request: tuple[str, str]) -> None:
    path, query = request
    found = canonical_path(f"/images/{path}?{query}" if query else f"/images/{path}", RULES)

    assert found in (f"/{path}", None)
    assert found is None or (query == "" and "%" not in path and found.rpartition(".")[2] in FORMATS)


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/a.jpg/@w=320.webp", True),
        ("/a.jpg/@crop=0:0:9:9,w=320,h=7.webp", True),
        ("/a.jpg/@full.webp", True),
        ("/a.jpg/@h=333.webp", True),
        ("/a.jpg/@w=50,h=50,sharpen=0.5.webp", True),
        ("/a.jpg/@w=50,h=50,sharpen=0.6.webp", False),
        ("/a.jpg/@w=300.webp", False),
        ("/a.jpg/@w=3200.webp", False),
        ("/a.jpg/@crop=0:0:9:9,w=300.webp", False),
        ("/a.jpg/@w=320,w=300.webp", False),
    ],
)
def test_with_a_ladder_only_what_that_allows_is_found(path: str, found: bool) -> None:
    rules = replace(RULES, ladder=(160, 320), presets={"thumbnail": "w=50,h=50,sharpen=0.5"})
    assert canonical_path(f"/images{path}", rules) == (path if found else None)


def test_no_pattern_is_longer_than_a_word_of_nginx_may_be() -> None:
    presets = {f"p{number}": f"w={number},blur=1.5,q=70" for number in range(1, 100)}
    rules = replace(RULES, ladder=tuple(range(60000, 60064)), presets=presets)
    assert max(map(len, canonical_patterns(rules, 1024))) < 4096 - 20


@given(plain_images, st.integers(1, 30))
def test_with_tags_an_image_is_found_exactly_where_its_name_is_its_tag(image: str, longest: int) -> None:
    (pattern,) = canonical_patterns(RULES, longest)
    found = re.search(pattern, f"/images/{image}/@w=9.webp")

    assert (found is not None) == (image_tag(image, longest) == image)


STRICT = replace(RULES, required=("logo",))


@given(plain_images, written_recipes(), st.sampled_from(FORMATS))
def test_where_an_overlay_is_required_only_names_that_bear_it_are_found(
    image: str, recipe: dict[str, str], format: str
) -> None:
    """And those that the public port itself reads are found at their paths."""
    leaf = ",".join(f"{key}={value}" for key, value in recipe.items()) or "full"
    try:
        as_asked, as_required = (parse(f"{image}/@{leaf}.{format}".replace("#", "%23"), "", rules) for rules in BOTH)
    except Refused:
        assume(False)

    bears = as_asked.recipe.get("over", "").endswith("logo.aa11:se:2p:2p")
    assert canonical_path(f"/images/{as_asked}", STRICT) == (f"/{as_asked}" if bears else None)
    assert canonical_path(f"/images/{as_required}", STRICT) == f"/{as_required}"


BOTH = (RULES, STRICT)


@pytest.mark.parametrize(
    ("leaf", "found"),
    [
        ("@over=logo.aa11", True),
        ("@w=9,over=credit.bb22:sw~logo.aa11:tile,frame=2", True),
        ("@over=logo.00", False),
        ("@over=logo", False),
        ("@over=logo.aa11~credit.00", False),
        ("@w=9,over=other.aa11", False),
        ("@over=logo.aa11~", False),
    ],
)
def test_an_image_with_an_earlier_overlay_is_not_found_although_it_may_lie_there(leaf: str, found: bool) -> None:
    assert (canonical_path(f"/images/a/{leaf}.png", RULES) is not None) is found


@pytest.mark.parametrize(
    "leaf",
    [
        "@over=logo.aa11", "@over=logo.aa11:se:2p:2p:0.01", "@over=logo.aa11:se:2p:2p~credit.bb22", "@over=credit.bb22",
        "@full", "@w=9", "@over=logo.aa11:se:2p:2p1", "@w=9,over=x,over=logo.aa11:se:2p:2p",
        "@xover=logo.aa11:se:2p:2p",
        "@over=logo.aa11:se:2p:2p,over=credit.bb22",
    ],
)  # fmt: skip
def test_a_name_that_only_resembles_one_with_the_required_overlay_is_not_found(leaf: str) -> None:
    assert canonical_path(f"/images/a/{leaf}.png", STRICT) is None
    assert canonical_path("/images/a/@w=9,over=logo.aa11:se:2p:2p,frame=2.png", STRICT) is not None


def test_a_name_with_all_overlays_that_may_be_and_a_required_one_is_read_again() -> None:
    name = parse(f"a/@over={'~'.join(['credit'] * 8)}.png", "", STRICT)
    assert name.recipe["over"].count("~") == 8
    assert parse(str(name), "", STRICT) == name
