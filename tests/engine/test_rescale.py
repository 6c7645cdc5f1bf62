"""A JPEG or AVIF of a JPEG, made by luma and chroma alone, looks as one that went through RGB, and only where that is
so."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageOps

from service.engine.avif import libavif
from service.engine.jpeg import planes, turbo
from service.engine.jpeg.quantisation import tables
from tests import images, profiles
from tests.engine.deriving import BURST, apart, derive

LANCZOS = Image.Resampling.LANCZOS
SAMPLINGS = ["4:4:4", "4:2:2", "4:4:0", "4:2:0"]
CROPS = {  # recipe, and what it keeps of 300x200 pixels, and the size of it
    "w=101": ((0, 0, 300, 200), (101, 67)),
    "h=99": ((0, 0, 300, 200), (149, 99)),
    "w=75,h=75,fit=cover": ((50, 0, 250, 200), (75, 75)),
    "w=75,h=75,fit=cover,g=e": ((100, 0, 300, 200), (75, 75)),
    "w=33,h=120,fit=fill": ((0, 0, 300, 200), (33, 120)),
    "w=33,h=100,fit=outside": ((0, 0, 300, 200), (150, 100)),
    "crop=31:17:151:101": ((31, 17, 182, 118), (151, 101)),
    "crop=50p:50p:50p:50p,w=75": ((150, 100, 300, 200), (75, 50)),
    "w=450,up=1": ((0, 0, 300, 200), (450, 300)),
    "q=70": ((0, 0, 300, 200), (300, 200)),
}


def sampled(sampling: str, orientation: int = 1) -> bytes:
    """A picture of 300x200 pixels, stored with this chroma and turned."""
    options = {"quality": 95, "subsampling": sampling}
    if sampling != "4:4:0":
        return images.oriented(orientation, "JPEG", images.photo(300, 200), **options)
    lying = images.oriented(5, "JPEG", images.photo(300, 200), quality=95, subsampling="4:2:2")
    upright = derive(lying, "", "jpg").data  # 4:2:2 transposed, by its blocks
    assert layers(Image.open(io.BytesIO(upright)))[0][1:3] == (1, 2)
    return upright


def layers(image: Image.Image) -> list[tuple[int, int, int, int]]:
    """Component, sampling across and down, and table, of each component of a JPEG."""
    found: list[tuple[int, int, int, int]] = vars(image)["layer"]
    return found


def shown(data: bytes, box: tuple[int, int, int, int], size: tuple[int, int]) -> NDArray[np.int64]:
    """What the recipe has to show, by Pillow's decoder and filter, through RGB."""
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(ImageOps.exif_transpose(image).crop(box).resize(size, LANCZOS)).astype(int)


@pytest.mark.parametrize("kind", ["jpg", "avif"])
@pytest.mark.parametrize("sampling", SAMPLINGS)
@pytest.mark.parametrize("recipe", CROPS)
def test_it_shows_what_was_asked_for(sampling: str, recipe: str, kind: str, written: list[tuple[int, int]]) -> None:
    box, size = CROPS[recipe]
    data = sampled(sampling)
    made = derive(data, recipe, kind)
    assert written == [size]
    assert made.pillow().size == (made.result.width, made.result.height) == size
    difference = np.abs(made.pixels() - shown(data, box, size))
    assert difference.mean() < 4
    assert difference[:, -1].mean() < 8 and difference[-1].mean() < 8


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("recipe", ["w=101", "w=75,h=75,fit=cover,g=e", "crop=31:17:151:101"])
def test_it_stands_upright(orientation: int, recipe: str, written: list[tuple[int, int]]) -> None:
    box, size = CROPS[recipe]
    data = sampled("4:2:0", orientation)
    made = derive(data, recipe, "jpg")
    assert written == [size]
    assert np.abs(made.pixels() - shown(data, box, size)).mean() < 4


@pytest.mark.parametrize("n", [1, 2, 4, 8])
@pytest.mark.parametrize("size", [(1, 1), (7, 9), (16, 16), (33, 15), (251, 130)])
def test_planes_are_luma_and_chroma_as_pillow_decodes_them(size: tuple[int, int], n: int) -> None:
    data = images.jpeg(images.photo(*size), quality=95, subsampling="4:4:4")
    found = planes.read(data, size, n)
    assert found is not None
    with Image.open(io.BytesIO(data)) as image:
        image.draft("YCbCr", (-(-size[0] * n // 8), -(-size[1] * n // 8)))
        image.load()
        for plane, channel in zip(found, image.split(), strict=True):
            if channel.size == (-(-size[0] * n // 8), -(-size[1] * n // 8)):
                assert np.abs(np.asarray(plane).astype(int) - np.asarray(channel)).max() <= 1


@pytest.mark.parametrize("recipe", ["w=33", "w=30,h=21,fit=fill", "crop=3:3:31:17", "w=99,h=55,fit=cover,up=1"])
@pytest.mark.parametrize("orientation", [1, 3, 6])
def test_one_colour_stays_so_up_to_every_edge(recipe: str, orientation: int) -> None:
    data = images.oriented(orientation, "JPEG", images.flat(65, 49, (200, 60, 30)), quality=95)
    made = derive(data, recipe, "jpg").pixels()
    assert np.abs(made - (200, 60, 30)).max() <= 4


def test_colours_stay_where_they_are() -> None:
    data = images.jpeg(images.quadrants(640, 480), quality=95, subsampling="4:2:0")
    made = derive(data, "w=101", "jpg").pixels()
    assert np.abs(made - shown(data, (0, 0, 640, 480), (101, 76))).mean() < 3


OTHERWISE: dict[str, tuple[Callable[[], bytes], str]] = {
    "a profile": (lambda: images.jpeg(images.photo(), icc_profile=profiles.display_p3()), "w=100"),
    "gray": (images.jpeg_gray, "w=100"),
    "CMYK": (images.jpeg_cmyk, "w=100"),
    "YCCK": (images.jpeg_ycck, "w=100"),
    "RGB": (lambda: images.jpeg(images.photo(), keep_rgb=True), "w=100"),
    "full chroma": (images.jpeg, "w=100,q=90"),
    "a tone": (images.jpeg, "w=100,gam=2"),
    "a turn": (images.jpeg, "w=100,rot=90"),
    "a canvas": (images.jpeg, "w=100,h=100,fit=pad"),
    "seams": (images.jpeg, "w=100,h=100,fit=liquid"),
    "a quality by its looks": (images.jpeg, "w=100,q=auto"),
    "most bytes": (images.jpeg, "w=100,mb=4000"),
}


@pytest.mark.parametrize("case", OTHERWISE)
def test_other_work_is_done_in_rgb(case: str, written: list[tuple[int, int]]) -> None:
    data, recipe = OTHERWISE[case]
    made = derive(data(), recipe, "jpg")
    assert not written
    assert made.result.bytes == len(made.data) > 0


@pytest.mark.parametrize("recipe", ["q=auto", "lossless=1", "w=100,mb=4000", "w=100,gam=2"])
def test_avif_of_other_work_is_made_in_rgb(recipe: str, written: list[tuple[int, int]]) -> None:
    made = derive(images.jpeg(), recipe, "avif")
    assert not written
    assert made.result.bytes == len(made.data) > 0


def test_avif_of_full_chroma_quality_is_made_of_planes(written: list[tuple[int, int]]) -> None:
    assert derive(images.jpeg(), "w=100,q=95", "avif").pillow().size == (100, 75)
    assert written == [(100, 75)]


def test_avif_is_made_in_rgb_without_the_library(
    monkeypatch: pytest.MonkeyPatch, written: list[tuple[int, int]]
) -> None:
    monkeypatch.setattr(libavif, "library", None)
    assert derive(images.jpeg(), "w=100", "avif").pillow().size == (100, 75)
    assert not written


def test_both_ways_to_avif_state_the_same_colour(written: list[tuple[int, int]]) -> None:
    by_planes, by_rgb = (derive(images.jpeg(), recipe, "avif").data for recipe in ("w=100", "w=100,gam=1.01"))
    assert len(written) == 1
    assert _colour(by_planes) == _colour(by_rgb) != b""


def _colour(data: bytes) -> bytes:
    """The box `colr` of a small AVIF."""
    start = data.index(b"colr")
    return data[start : start + 15]


def test_a_profile_that_is_srgb_changes_nothing(written: list[tuple[int, int]]) -> None:
    plain, profiled = images.jpeg(), images.jpeg(images.photo(), icc_profile=profiles.srgb())
    assert derive(plain, "w=100", "jpg").data == derive(profiled, "w=100", "jpg").data
    assert len(written) == 2


def test_a_notice_that_stays_is_written_by_the_other_way(written: list[tuple[int, int]]) -> None:
    made = derive(images.jpeg(), "w=100,keep=copyright", "jpg", keep=("copyright",))
    assert not written and made.result.width == 100


def test_without_the_library_the_image_is_made_in_rgb(
    monkeypatch: pytest.MonkeyPatch, written: list[tuple[int, int]]
) -> None:
    monkeypatch.setattr(turbo, "library", None)
    made = derive(sampled("4:2:0"), "w=101", "jpg")
    assert not written
    assert made.pillow().size == (101, 67)


def test_the_result_has_chroma_of_half_the_size() -> None:
    made = derive(images.jpeg(), "w=101", "jpg").pillow()
    assert [layer[1:3] for layer in layers(made)] == [(2, 2), (1, 1), (1, 1)]


@pytest.mark.parametrize("size", [(1, 1), (2, 129), (301, 277), (300, 256)])
def test_the_rows_of_an_image_that_are_made_at_a_time_join(size: tuple[int, int]) -> None:
    luma, chroma = planes.plane_sizes(size)
    y, *colours = Image.fromarray(images.photo(*luma)).convert("YCbCr").split()
    cb, cr = (plane.resize(chroma) for plane in colours)
    at_once = Image.merge(
        "YCbCr", (y, cb.resize(luma, Image.Resampling.NEAREST), cr.resize(luma, Image.Resampling.NEAREST))
    )
    options = {"qtables": tables(80), "subsampling": "4:2:0", "optimize": True, "progressive": True}
    assert planes.write((y, cb, cr), size, 80, 1) == images.encode(at_once.crop((0, 0, *size)), "JPEG", **options)


def test_a_burst_takes_the_planes_of_each_scale_once_and_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "original"
    path.write_bytes(images.jpeg(images.photo(1200, 900)))
    wanted = apart(path, BURST, "jpg")
    reads = []
    read = planes.read

    def counted(data: bytes, size: tuple[int, int], n: int) -> planes.Planes | None:
        reads.append(n)
        return read(data, size, n)

    monkeypatch.setattr(planes, "read", counted)
    assert [derive(path, recipe, "jpg").data for recipe in BURST] == wanted
    assert len(reads) == 3


def test_damaged_planes_are_left_to_the_reader_that_reports_damage() -> None:
    data = bytearray(images.jpeg(images.photo(300, 200), quality=95))
    data[len(data) // 2 : len(data) // 2 + 2] = b"\xff\xd3"
    assert planes.read(bytes(data), (300, 200), 8) is None
    assert planes.read(images.jpeg(images.photo(300, 200)), (299, 200), 8) is None
    assert planes.read(b"\xff\xd8\xff\xd9", (300, 200), 8) is None
