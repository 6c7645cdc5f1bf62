"""Which formats can hold a result, against what the engine's arithmetic makes of a recipe."""

from dataclasses import replace

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from gateway.holding import Shape, fitting, longest, longest_side
from gateway.rules import FORMATS, Rules
from service.engine import geometry
from service.engine.job import Unsatisfiable

RULES = Rules(limits={"width": 20000, "height": 9000, "frames": 500})
sides = st.integers(1, 40000)
numbers = st.integers(1, 20000).map(str)
recipes = st.fixed_dictionaries(
    {},
    optional={
        "crop": st.sampled_from(["10:20:30:400", "50p:0p:50p:1p", "0:0:9999:9999"]),
        "w": numbers,
        "h": numbers,
        "fit": st.sampled_from(["outside", "cover", "fill", "pad", "liquid"]),
        "up": st.just("1"),
        "rot": st.integers(1, 359).map(str) | st.sampled_from(["0.01", "45.5", "359.99"]),
    },
)


@given(sides, sides, recipes)
@example(17000, 60, {"rot": "1"})
def test_no_result_is_longer_than_it_is_taken_to_be(width: int, height: int, recipe: dict[str, str]) -> None:
    if not {"w", "h"} <= recipe.keys():
        recipe.pop("fit", None)
    try:
        made = geometry.result((width, height), recipe)
    except Unsatisfiable:
        assume(False)
    limits, own = RULES.limits, max(width, height)
    assume(made[0] <= max(limits["width"], own) and made[1] <= max(limits["height"], own))  # else it is refused

    assert longest(recipe, Shape(width, height), RULES) >= max(made)


@given(sides, sides, numbers, st.sampled_from(["w", "h"]), st.booleans())
def test_where_one_side_is_bounded_it_is_just_as_long(width: int, height: int, number: str, key: str, up: bool) -> None:
    recipe = {key: number} | ({"up": "1"} if up else {})

    assert longest(recipe, Shape(width, height), RULES) == max(geometry.result((width, height), recipe))


@pytest.mark.parametrize("format", FORMATS)
def test_a_format_may_be_chosen_up_to_its_longest_side(format: str) -> None:
    rules, most = replace(RULES, negotiate=[format]), min(longest_side(format), 10**6)

    assert fitting({}, Shape(int(most), 1), rules) == [format]
    assert fitting({}, Shape(1, int(most) + 1), rules) == ([format] if format in ("png", "tif", "bmp") else [])


def test_a_result_that_has_no_room_for_an_encoder_becomes_another_format() -> None:
    """libjxl takes 80 bytes a pixel. The whole image keeps its own format where it cannot be made, so it is tried."""
    shape, rules = Shape(4096, 3072), replace(RULES, negotiate=("jxl", "webp"), memory=1 << 30)
    assert fitting({"w": "3800"}, shape, rules) == ["jxl", "webp"]
    assert fitting({"w": "3900"}, shape, rules) == fitting({"rot": "1"}, shape, rules) == ["webp"]
    assert fitting({}, shape, rules) == ["jxl", "webp"]
    assert fitting({"w": "3900"}, shape, replace(rules, memory=2 << 30)) == ["jxl", "webp"]
    assert fitting({"w": "2560"}, shape, replace(rules, memory=512 << 20)) == ["webp"]
