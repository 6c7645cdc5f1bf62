"""Sizes and boxes, by arithmetic alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.engine import geometry
from service.engine.geometry import Box
from service.engine.job import Unsatisfiable

sides = st.integers(1, 5000)


@pytest.mark.parametrize(
    ("size", "recipe", "expected"),
    [
        ((2725, 2225), {"w": "200"}, (200, 163)),  # 163.3
        ((2725, 2225), {"w": "640"}, (640, 523)),  # 522.6
        ((2725, 2225), {"h": "100"}, (122, 100)),
        ((400, 300), {"w": "200", "h": "200"}, (200, 150)),
        ((400, 300), {"w": "200", "h": "200", "fit": "outside"}, (267, 200)),
        ((400, 300), {"w": "200", "h": "200", "fit": "cover"}, (200, 200)),
        ((400, 300), {"w": "200", "h": "200", "fit": "fill"}, (200, 200)),
        ((400, 300), {"w": "200", "h": "200", "fit": "pad"}, (200, 150)),
        ((4000, 10), {"w": "100"}, (100, 1)),
        ((400, 300), {"w": "800"}, (400, 300)),
        ((400, 300), {"w": "800", "up": "1"}, (800, 600)),
        ((400, 300), {"w": "600", "h": "600", "fit": "cover"}, (300, 300)),
        ((400, 300), {"w": "600", "h": "600", "fit": "cover", "up": "1"}, (600, 600)),
        ((400, 300), {"w": "600", "h": "200", "fit": "fill"}, (400, 200)),
        ((400, 300), {"w": "200", "fit": "cover"}, (200, 150)),
        ((400, 300), {}, (400, 300)),
    ],
)
def test_a_region_is_resampled_to(size: tuple[int, int], recipe: dict[str, str], expected: tuple[int, int]) -> None:
    assert geometry.resampled(*size, recipe) == expected


@given(sides, sides, sides, sides, st.sampled_from(["inside", "pad", "outside", "cover", "fill", "liquid"]))
def test_without_up_nothing_is_enlarged_and_every_side_has_a_pixel(
    width: int, height: int, w: int, h: int, fit: str
) -> None:
    made = geometry.resampled(width, height, {"w": str(w), "h": str(h), "fit": fit})
    assert 1 <= made[0] <= width
    assert 1 <= made[1] <= height


@given(sides, sides, sides, sides)
def test_inside_fits_the_box_and_touches_it(width: int, height: int, w: int, h: int) -> None:
    made = geometry.resampled(width, height, {"w": str(w), "h": str(h), "up": "1"})
    assert made[0] <= w
    assert made[1] <= h
    assert made[0] == w or made[1] == h


@given(sides, sides, sides, sides, st.floats(0, 1), st.floats(0, 1))
def test_what_covers_has_the_shape_of_the_box_and_lies_in_the_region(
    width: int, height: int, w: int, h: int, x: float, y: float
) -> None:
    box = geometry.covering(Box(0, 0, width, height), (w, h), (x, y))
    assert box.width / box.height == pytest.approx(w / h)
    assert min(box.left, box.top) >= -1e-9
    assert box.right <= width + 1e-6
    assert box.bottom <= height + 1e-6
    assert box.width == pytest.approx(width) or box.height == pytest.approx(height)


def test_a_focal_point_is_in_the_middle_of_what_covers() -> None:
    box = geometry.covering(Box(0, 0, 400, 100), (1, 1), (0.25, 0.5))
    assert (box.left, box.right) == (50, 150)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("10:20:30:40", Box(10, 20, 40, 60)),
        ("10p:20p:50p:50p", Box(40, 60, 240, 210)),
        ("390:290:100:100", Box(390, 290, 400, 300)),
        ("0:0:0.01p:0.01p", Box(0, 0, 1, 1)),
    ],
)
def test_a_crop_keeps_whole_pixels_inside_the_image(value: str, expected: Box) -> None:
    assert geometry.crop_box(value, (400, 300)) == expected


def test_a_crop_outside_the_image_cannot_be_had() -> None:
    with pytest.raises(Unsatisfiable, match="400x300"):
        geometry.crop_box("400:0:10:10", (400, 300))


@pytest.mark.parametrize(("ratio", "n"), [(1, 8), (2, 8), (2.1, 4), (5.9, 4), (6, 2), (11.9, 2), (12, 1), (90, 1)])
def test_a_scaled_decode_leaves_more_pixels_than_the_result_has(ratio: float, n: int) -> None:
    assert geometry.eighths((100 * ratio, 100 * ratio), (100, 100)) == n


@pytest.mark.parametrize(("ratio", "n"), [(1.4, 8), (2.9, 8), (3, 4), (5.9, 4), (6, 2), (11.9, 2), (12, 1)])
def test_a_fine_one_leaves_half_as_many_again(ratio: float, n: int) -> None:
    assert geometry.eighths((100 * ratio, 100 * ratio), (100, 100), geometry.FINE) == n


@pytest.mark.parametrize(("ratio", "n"), [(2.1, 8), (2.4, 8), (2.5, 4), (5.9, 4), (6, 2), (11.9, 2), (12, 1)])
def test_one_for_webp_leaves_a_quarter_as_many_again_of_half_the_size(ratio: float, n: int) -> None:
    assert geometry.eighths((100 * ratio, 100 * ratio), (100, 100), geometry.MIDDLE) == n


def test_a_scaled_decode_rounds_up() -> None:
    assert geometry.decoded((2725, 2225), 2) == (682, 557)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_box_turns_as_the_image_does(orientation: int) -> None:
    width, height = geometry.upright((40, 30), orientation)
    turned = geometry.turned(Box(0, 0, 10, 5), (40, 30), orientation)
    assert {turned.width, turned.height} == {10, 5}
    assert turned.left in (0, width - turned.width)
    assert turned.top in (0, height - turned.height)


@given(sides, sides, st.integers(0, 35999).map(lambda hundredths: hundredths / 100))
def test_the_rectangle_around_a_turned_image_holds_its_area(width: int, height: int, degrees: float) -> None:
    across, down = geometry.rotated((width, height), degrees)
    assert across * down >= width * height
    assert max(across, down) <= width + height


@pytest.mark.parametrize(
    ("recipe", "expected"),
    [
        ({"rot": "90"}, (300, 400)),
        ({"w": "100", "h": "100", "fit": "pad"}, (100, 100)),
        ({"w": "100", "h": "100", "fit": "liquid"}, (100, 100)),
        ({"crop": "0:0:50p:100p", "w": "100"}, (100, 150)),
        ({"rot": "45"}, (495, 495)),
    ],
)
def test_the_size_of_a_result_is_known_before_it_is_made(recipe: dict[str, str], expected: tuple[int, int]) -> None:
    assert geometry.result((400, 300), recipe) == expected
