"""Equal results have one recipe, and different results different ones."""

import random

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from gateway.equivalence import canonicalise
from gateway.errors import Refused
from gateway.recipes import add, preset_recipe, print_recipe, read
from gateway.rules import FORMATS, Rules
from tests.gateway.effects import effect
from tests.gateway.requests import KEYS, RULES, VALUES, formats, written_recipes


def canonical(written: dict[str, str], format: str) -> dict[str, str]:
    """The canonical recipe of what was written; nothing where it is refused."""
    try:
        return canonicalise(read(written, RULES), format, RULES)
    except Refused:
        assume(False)


@given(written_recipes(), formats)
def test_the_canonical_form_of_a_canonical_form_is_itself(written: dict[str, str], format: str) -> None:
    recipe = canonical(written, format)

    assert canonical(recipe, format) == recipe
    assert print_recipe(canonical(recipe, format)) == print_recipe(recipe)


@given(written_recipes(), formats, st.randoms(use_true_random=False))
def test_the_order_of_keys_does_not_matter(written: dict[str, str], format: str, chance: random.Random) -> None:
    shuffled = list(written.items())
    chance.shuffle(shuffled)

    assert print_recipe(canonical(dict(shuffled), format)) == print_recipe(canonical(written, format))


@given(written_recipes(most=12), formats)
def test_keys_are_printed_in_the_order_of_the_vocabulary(written: dict[str, str], format: str) -> None:
    printed = [part.partition("=")[0] for part in print_recipe(canonical(written, format)).split(",")]

    assert printed == ["full"] or printed == [key for key in KEYS if key in printed]


@given(written_recipes(), st.sampled_from(FORMATS))
def test_the_canonical_form_has_the_effect_of_what_was_written(written: dict[str, str], format: str) -> None:
    assert effect(canonical(written, format), format) == effect(written, format)


@st.composite
def neighbours(draw: st.DrawFn) -> tuple[dict[str, str], dict[str, str]]:
    """Two recipes that differ in a few keys, often only in spelling."""
    one = draw(written_recipes(most=6))
    other = dict(one)
    for key in draw(st.lists(st.sampled_from(KEYS), max_size=3)):
        value = draw(st.sampled_from([None, *VALUES[key]]))
        other.pop(key, None)
        if value is not None:
            other[key] = value
    return one, other


@given(neighbours(), st.sampled_from(FORMATS))
@example(({"w": "200"}, {"w": "100", "dpr": "2"}), "png")
@example(({"rot": "225", "flip": "h"}, {"rot": "45", "flip": "v"}), "png")
@example(({"rot": "90", "flip": "hv", "bg": "000"}, {"rot": "270"}), "png")
@example(({"w": "9", "h": "9", "fit": "pad", "g": "smart"}, {"w": "9", "h": "9", "fit": "pad"}), "png")
@example(({"q": "80"}, {}), "jpg")
@example(({"q": "80", "keep": "icc"}, {"keep": "icc"}), "jpg")
@example(({"q": "80", "up": "1"}, {"q": "80"}), "jpg")
@example(({"q": "80", "trim": "0"}, {"trim": "0"}), "jpg")
@example(({"bg": "0008"}, {"bg": "000"}), "jpg")
@example(({"rot": "45", "bg": "0008"}, {"rot": "45", "bg": "000"}), "png")
@example(({"frame": "0"}, {}), "png")
def test_recipes_are_equal_exactly_when_their_effects_are(
    pair: tuple[dict[str, str], dict[str, str]], format: str
) -> None:
    one, other = pair

    equal = canonical(one, format) == canonical(other, format)

    assert equal == (effect(one, format) == effect(other, format))


@pytest.mark.parametrize("format", ["auto", "source"])
@given(written=written_recipes(), decided=st.sampled_from(FORMATS))
def test_deciding_the_format_later_gives_the_same_recipe(format: str, written: dict[str, str], decided: str) -> None:
    at_once = canonical(written, decided)

    assert canonical(canonical(written, format), decided) == at_once


@pytest.mark.parametrize(
    ("written", "format", "says"),
    [
        ({"w": "0"}, "jpg", "w=0: must be a whole number from 1 to 4096"),
        ({"w": "4096", "dpr": "1.1"}, "jpg", "w times dpr is 4506: must be at most 4096"),
        ({"mb": "5000"}, "gif", "mb=5000: needs a format with a quality: jpg, webp, avif or jxl, and not lossless"),
    ],
)
def test_what_is_refused_names_the_key_and_what_would_be_right(written: dict[str, str], format: str, says: str) -> None:
    with pytest.raises(Refused) as refused:
        canonicalise(read(written, RULES), format, RULES)

    assert refused.value.status == 400
    assert refused.value.detail == says


def test_the_limits_are_those_of_the_configuration() -> None:
    rules = Rules(limits={"width": 100, "height": 200, "frames": 3})

    assert read({"w": "100", "h": "200", "frame": "3"}, rules)
    for key, value, most in (("w", "101", 100), ("h", "201", 200), ("frame", "4", 3)):
        with pytest.raises(Refused, match=f"{key}={value}: must be a whole number from [01] to {most}"):
            read({key: value}, rules)


def test_only_what_the_configuration_allows_may_be_kept() -> None:
    assert read({"keep": "icc"}, Rules(keep=("icc",))) == {"keep": "icc"}
    with pytest.raises(Refused, match="keep=copyright: the configuration does not allow it"):
        read({"keep": "copyright:icc"}, Rules(keep=("icc",)))


def test_an_operation_is_given_once_under_whichever_word() -> None:
    given: dict[str, str] = {}
    add(given, "xsize", "300", RULES)

    with pytest.raises(Refused, match="w: given twice"):
        add(given, "w", "300", RULES)
    assert given == {"w": "300"}


def test_a_broken_preset_is_refused_by_its_name() -> None:
    rules = Rules(presets={"odd": "w=300,large"})

    with pytest.raises(Refused, match="preset odd: large: must be key=value"):
        preset_recipe("odd", rules)
