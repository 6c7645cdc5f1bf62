"""The parameters of IIIF's image requests. The image of 300x200 pixels, and what is expected of it, is the example of
the specification: https://iiif.io/api/image/3.0/, 4.1 and 4.2, and https://iiif.io/api/image/2.1/, 4.1 and 4.2."""

from __future__ import annotations

import math

import pytest

from gateway.errors import Refused
from gateway.holding import Shape
from gateway.rules import Rules
from service.dialects.iiif import info
from service.dialects.iiif.parameters import parameters_of, recipe
from service.dialects.iiif.region import Region, region_of
from service.dialects.iiif.size import Most, size_of

SHAPE = Shape(300, 200)
WHOLE = Region(0, 0, 300, 200)
MOST = Most(600, 600, 10**9)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("full", (300, 200)),
        ("square", (200, 200)),
        ("125,15,120,140", (120, 140)),
        ("pct:41.6,7.5,40,70", (120, 140)),
        ("125,15,200,200", (175, 185)),
        ("pct:41.6,7.5,66.6,100", (175, 185)),
    ],
)
def test_regions_are_those_of_the_specification(text: str, size: tuple[int, int]) -> None:
    found = region_of(text, SHAPE)
    assert (found.width, found.height) == size


@pytest.mark.parametrize(
    ("text", "region"),
    [
        ("square", Region(50, 0, 200, 200)),
        ("299,199,1,1", Region(299, 199, 1, 1)),
        ("299,199,1000,1000", Region(299, 199, 1, 1)),
        ("pct:0,0,100,100", Region(0, 0, 300, 200)),
        ("pct:50,50,50,50", Region(150, 100, 150, 100)),
        ("pct:0.5,.5,99.5,99.5", Region(2, 1, 298, 199)),
        ("pct:10,10,0.01,0.01", Region(30, 20, 1, 1)),
    ],
)
def test_a_region_is_whole_pixels_within_the_image(text: str, region: Region) -> None:
    assert region_of(text, SHAPE) == region


@pytest.mark.parametrize(
    "text",
    [
        *("", "Full", "squares", "0,0,0,10", "0,0,10,0", "300,0,1,1", "0,200,1,1", "-1,0,10,10", "1,2,3", "1,2,3,4,5"),
        *("1.5,0,10,10", "pct:0,0,0,10", "pct:100,0,10,10", "pct:1,2,3", "pct:a,0,1,1", "pct:-1,0,10,10", "١,0,1,1"),
    ],
)
def test_what_is_no_region_is_400(text: str) -> None:
    with pytest.raises(Refused) as refused:
        region_of(text, SHAPE)
    assert refused.value.status == 400


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("max", (300, 200)),
        ("^max", (600, 400)),
        ("150,", (150, 100)),
        ("^360,", (360, 240)),
        (",150", (225, 150)),
        ("^,240", (360, 240)),
        ("pct:50", (150, 100)),
        ("^pct:120", (360, 240)),
        ("225,100", (225, 100)),
        ("^360,360", (360, 360)),
        ("!225,100", (150, 100)),
        ("^!360,360", (360, 240)),
        ("!600,600", (300, 200)),
        ("1,", (1, 1)),
        ("pct:0.01", (1, 1)),
    ],
)
def test_sizes_of_version_3_are_those_of_the_specification(text: str, size: tuple[int, int]) -> None:
    assert size_of(text, WHOLE, MOST, 3) == size


@pytest.mark.parametrize(
    "text",
    [
        *(
            "360,",
            ",240",
            "pct:120",
            "301,200",
            "300,201",
            "0,",
            ",0",
            "0,0",
            "pct:0",
            "^pct:0",
            ",",
            "!,",
            "!10,",
            "!,10",
        ),
        *(
            "",
            "full",
            "^full",
            "maximum",
            "^",
            "^^max",
            "^700,",
            "^,601",
            "^!700,700",
            "^pct:201",
            "10",
            "1.5,",
            "-1,",
            "a,b",
        ),
    ],
)
def test_what_is_no_size_of_version_3_is_400(text: str) -> None:
    with pytest.raises(Refused) as refused:
        size_of(text, WHOLE, MOST, 3)
    assert refused.value.status == 400


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("full", (300, 200)),
        ("max", (300, 200)),
        ("150,", (150, 100)),
        (",150", (225, 150)),
        ("pct:50", (150, 100)),
        ("pct:200", (600, 400)),
        ("225,100", (225, 100)),
        ("!225,100", (150, 100)),
        ("360,", (360, 240)),
    ],
)
def test_sizes_of_version_2_may_enlarge_without_a_sign(text: str, size: tuple[int, int]) -> None:
    assert size_of(text, WHOLE, MOST, 2) == size


def test_version_2_has_no_caret() -> None:
    with pytest.raises(Refused, match="version 3"):
        size_of("^max", WHOLE, MOST, 2)


@pytest.mark.parametrize(
    ("most", "size"),
    [
        (Most(150, 600, 10**9), (150, 100)),
        (Most(600, 50, 10**9), (75, 50)),
        (Most(600, 600, 6), (3, 2)),
        (Most(600, 600, 15_000), (150, 100)),
    ],
)
def test_max_is_bounded_by_width_height_and_area(most: Most, size: tuple[int, int]) -> None:
    assert size_of("max", WHOLE, most, 3) == size


@pytest.mark.parametrize("area", [1, 2, 7, 99, 12_345, 59_999])
def test_max_comes_as_near_to_the_largest_area_as_whole_pixels_allow(area: int) -> None:
    width, height = size_of("max", WHOLE, Most(9999, 9999, area), 3)
    assert width * height <= area
    exact = math.sqrt(area / 60_000)
    assert abs(width - 300 * exact) <= 2
    assert abs(height - 200 * exact) <= 2


@pytest.mark.parametrize(
    ("rotation", "format", "operations"),
    [
        ("0", "jpg", {}),
        ("360", "jpg", {}),
        ("90", "jpg", {"rot": "90"}),
        ("90.0", "jpg", {"rot": "90"}),
        ("!0", "jpg", {"flip": "h"}),
        ("!90", "jpg", {"rot": "270", "flip": "h"}),
        ("22", "jpg", {"rot": "22"}),
        ("22", "png", {"rot": "22", "bg": "ffffff00"}),
        ("22.5", "jpg", {"rot": "22.5"}),
        (".123456", "jpg", {"rot": "0.12"}),
        ("!0.125", "jpg", {"rot": "359.87", "flip": "h"}),
        ("359.999", "png", {}),
    ],
)
def test_a_rotation_is_clockwise_and_mirrors_first(rotation: str, format: str, operations: dict[str, str]) -> None:
    asked = parameters_of("full", "max", rotation, f"default.{format}", Rules())
    assert recipe(asked, WHOLE, (300, 200), SHAPE) == operations


@pytest.mark.parametrize(
    ("rotation", "last", "status"),
    [
        ("361", "default.jpg", 400),
        ("-1", "default.jpg", 400),
        ("!", "default.jpg", 400),
        ("1e1", "default.jpg", 400),
        ("360.01", "default.jpg", 400),
        ("0", "default.jp2", 501),
        ("0", "default.pdf", 501),
        ("0", "default.exe", 400),
        ("0", "default.JPG", 400),
        ("0", "native.jpg", 400),
        ("0", "default", 400),
    ],
)
def test_errors_are_400_for_nonsense_and_501_for_what_is_not_made_here(rotation: str, last: str, status: int) -> None:
    with pytest.raises(Refused) as refused:
        parameters_of("full", "max", rotation, last, Rules())
    assert refused.value.status == status


def test_an_animation_gives_its_first_frame() -> None:
    asked = parameters_of("full", "max", "0", "default.gif", Rules())
    assert recipe(asked, WHOLE, (300, 200), Shape(300, 200, 5)) == {"frame": "0"}


def test_scale_factors_end_where_the_image_fits_into_a_tile() -> None:
    assert info.scale_factors(Shape(512, 100), 512) == [1]
    assert info.scale_factors(Shape(513, 100), 512) == [1, 2]
    assert info.scale_factors(Shape(6000, 4000), 512) == [1, 2, 4, 8, 16]


def test_only_the_grid_of_tiles_and_the_sizes_are_listed() -> None:
    shape, most = Shape(1000, 600), Most(4096, 4096, 10**9)

    def listed(region: Region, size: tuple[int, int]) -> bool:
        return info.lists(region, size, shape, 256, most)

    for factor in (1, 2, 4):
        side = 256 * factor
        for x in range(0, 1000, side):
            for y in range(0, 600, side):
                width, height = min(side, 1000 - x), min(side, 600 - y)
                assert listed(Region(x, y, width, height), (math.ceil(width / factor), math.ceil(height / factor)))
    assert listed(Region(0, 0, 1000, 600), (500, 300))
    assert not listed(Region(0, 0, 1000, 600), (501, 300))
    assert not listed(Region(1, 0, 256, 256), (256, 256))
    assert not listed(Region(0, 0, 256, 256), (255, 256))
    assert not listed(Region(0, 0, 256, 255), (256, 255))
