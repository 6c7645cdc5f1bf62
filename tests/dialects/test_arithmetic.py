"""For any options and any original, the recipe makes the size that imgproxy's arithmetic makes.

Sizes may differ by one pixel where a side ends at half a pixel, which floating numbers round either way.
"""

from __future__ import annotations

from hypothesis import assume, given
from hypothesis import strategies as st

from gateway.errors import Refused
from gateway.holding import Shape
from service.dialects.imgproxy import geometry as meaning
from service.dialects.imgproxy import scaling
from service.dialects.imgproxy.frames import turned
from service.dialects.imgproxy.options import COMPASS, RESIZING, Gravity, Options
from service.engine import geometry

SIDES = st.one_of(st.just(0), st.integers(20, 600))
GRAVITIES = st.builds(Gravity, st.sampled_from(sorted(COMPASS)), st.sampled_from([0.0, 0.1, 7.0]))
OPTIONS = st.builds(
    Options,
    resizing=st.sampled_from(RESIZING),
    width=SIDES,
    height=SIDES,
    min_width=st.sampled_from([0, 0, 0, 250]),
    zoom=st.sampled_from([(1.0, 1.0), (1.0, 1.0), (0.5, 0.5), (1.0, 0.5)]),
    dpr=st.sampled_from([1.0, 1.0, 0.5, 1.5, 2.0]),
    enlarge=st.booleans(),
    extend=st.one_of(st.none(), st.just(Gravity())),
    gravity=GRAVITIES,
    crop=st.sampled_from([(0.0, 0.0), (0.0, 0.0), (0.5, 0.75), (200.0, 100.0)]),
    rotate=st.sampled_from([0, 0, 90, 180, 270]),
)
SHAPES = st.builds(Shape, st.integers(50, 900), st.integers(50, 900))


def near(size: geometry.Size, other: geometry.Size) -> bool:
    return abs(size[0] - other[0]) <= 1 and abs(size[1] - other[1]) <= 1


@given(options=OPTIONS, shape=SHAPES)
def test_the_recipe_makes_the_size_that_imgproxys_arithmetic_makes(options: Options, shape: Shape) -> None:
    sizes = scaling.sizes(scaling.region(turned((shape.width, shape.height), options), options), options)
    try:
        recipe = meaning.given_of(options, shape if meaning.needs_shape(options) else None)
    except Refused:
        assume(False)
    assert near(geometry.result((shape.width, shape.height), recipe), sizes.canvas)


@given(options=OPTIONS, shape=SHAPES)
def test_what_needs_no_shape_is_the_same_with_one(options: Options, shape: Shape) -> None:
    assume(not meaning.needs_shape(options))
    size = (shape.width, shape.height)
    try:
        exact = meaning.given_of(options, shape)
    except Refused:
        assume(False)
    assert near(geometry.result(size, meaning.given_of(options, None)), geometry.result(size, exact))
