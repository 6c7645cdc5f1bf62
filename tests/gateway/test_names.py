"""Names: every way to write one arrives at the same, and nothing else does."""

from pathlib import PurePosixPath
from urllib.parse import unquote

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gateway.errors import Refused
from gateway.names import Name, check_image, decide, disk_path, escape, is_preset_word, marker_path, parse
from gateway.rules import FORMATS, Rules
from tests.gateway.requests import (
    RULES,
    formats,
    images,
    raw_bytes,
    raw_requests,
    spellings,
    written_recipes,
)


@st.composite
def derived(draw: st.DrawFn) -> Name:
    """A canonical name, of any image."""
    image, recipe, format = draw(images), draw(written_recipes()), draw(formats)
    leaf = ",".join(f"{key}={value}" for key, value in recipe.items()) or "full"
    try:
        return parse(escape(f"{image}/@{leaf}.{format}"), "", RULES)
    except Refused:
        assume(False)


@given(derived())
def test_a_canonical_name_means_itself(name: Name) -> None:
    assert parse(escape(str(name)), "", RULES) == name


@given(derived(), st.data())
def test_however_a_name_is_escaped_it_is_the_same_name(name: Name, data: st.DataObject) -> None:
    assert parse(data.draw(spellings(str(name), plain="/@=,")), "", RULES) == name
    assert parse(data.draw(spellings(str(name), plain="/")), "", RULES) == name


@given(images, written_recipes(), formats, st.data())
def test_the_query_form_means_the_derived_name(
    image: str, recipe: dict[str, str], format: str, data: st.DataObject
) -> None:
    recipe.pop("mb", None)
    if not recipe.keys() & {"w", "h"}:
        recipe.pop("ar", None)
    leaf = ",".join(f"{key}={value}" for key, value in recipe.items()) or "full"
    pairs = [(key, data.draw(spellings(value))) for key, value in recipe.items()] + [("format", format)]
    query = "&".join(f"{key}={value}" for key, value in data.draw(st.permutations(pairs)))

    assert parse(escape(image), query, RULES) == parse(escape(f"{image}/@{leaf}.{format}"), "", RULES)


@given(derived())
def test_an_escaped_name_is_a_path_that_decodes_to_it(name: Name) -> None:
    path = escape(str(name))

    assert unquote(path) == str(name)
    assert path.isascii() and not set(path) & set(' "<>?#\\^`{|}')


@given(raw_requests())
def test_whatever_is_asked_is_a_name_or_refused_in_plain_words(request: tuple[str, str]) -> None:
    try:
        name = parse(*request, RULES)
    except Refused as refused:
        assert refused.status in (400, 403)
        assert refused.detail.isascii() and refused.detail.isprintable() and len(refused.detail) < 400
    else:
        assert check_image(name.image) == name.image
        assert parse(escape(str(name)), "", RULES) == parse(escape(str(name)), "", RULES)


@given(raw_bytes)
def test_garbage_for_an_image_name_is_refused_or_kept_to_the_byte(text: str) -> None:
    try:
        assert check_image(text) == text
    except Refused as refused:
        assert refused.status == 400
    else:
        assert ".." not in text.split("/") and "" not in text.split("/")


@given(derived())
def test_a_derived_image_lies_below_the_root_in_a_place_of_its_own(name: Name) -> None:
    path, marker = PurePosixPath(disk_path(name)), PurePosixPath(marker_path(name.image))

    for place in (path, marker):
        assert not place.is_absolute() and ".." not in place.parts and "\0" not in str(place)
        assert all(len(part.encode()) <= 255 for part in place.parts)
    assert path != marker
    assert path.parent == marker.parent or path.parts[0] == "@"


@given(derived(), derived())
def test_two_names_never_share_a_place(one: Name, other: Name) -> None:
    assert (disk_path(one) == disk_path(other)) == (str(one) == str(other))


@pytest.mark.parametrize("length", [255, 256])
def test_a_segment_that_no_file_system_holds_is_hashed(length: int) -> None:
    image = "a" * length

    name = parse(f"{image}/@full.jpg", "", RULES)

    assert (disk_path(name) == str(name)) == (length == 255)
    assert PurePosixPath(disk_path(name)).suffix == ".jpg"


@given(derived(), st.sampled_from(FORMATS))
def test_any_undecided_name_can_be_decided_in_any_format(name: Name, format: str) -> None:
    if not name.decided:
        decided = decide(name, format, RULES)

        assert decided.decided and decided.image == name.image
        assert parse(escape(str(decided)), "", RULES) == decided


def test_a_change_of_a_preset_changes_the_name() -> None:
    before, after = Rules(presets={"icon": "w=32,h=32"}), Rules(presets={"icon": "w=48,h=48"})

    assert str(parse("cat.jpg/@icon.png", "", before)) == "cat.jpg/@w=32,h=32.png"
    assert str(parse("cat.jpg/@icon.png", "", after)) == "cat.jpg/@w=48,h=48.png"


def test_only_formats_that_this_machine_makes_can_be_asked_for() -> None:
    with pytest.raises(Refused, match="format avif: must be one of jpg, png, auto, source"):
        parse("cat.jpg/@full.avif", "", Rules(out=("jpg", "png"), negotiate=()))


def test_an_image_alone_gets_the_configured_format() -> None:
    assert str(parse("cat.jpg", "", Rules(default_format="webp"))) == "cat.jpg/@full.webp"


@pytest.mark.parametrize("word", ["thumbnail", "x2", "a-b_c"])
def test_a_preset_may_be_called(word: str) -> None:
    assert is_preset_word(word)


@pytest.mark.parametrize("word", ["", "full", "meta", "Big", "2x", "a b", "a=b", "a,b", "a.b", "é", "a\n"])
def test_a_preset_may_not_be_called(word: str) -> None:
    assert not is_preset_word(word)
