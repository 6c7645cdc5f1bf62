"""A photograph becomes JPEG XL by its luma and chroma, as a JPEG's coefficients; all else by libjxl's own coding."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from service.engine import photograph
from service.engine.headers import jxl_frames, jxl_metadata
from service.engine.job import Limits
from service.engine.jpeg import planes as jpeg
from service.engine.jxl import libjxl, reading
from service.engine.jxl.held import Held
from tests import images, jxls
from tests.engine.deriving import derive
from tests.images import Pixels

Sizes = list[tuple[int, int]]
SIZE = (320, 240)


def by_coefficients(data: bytes) -> bool:
    """Whether a JPEG XL holds luma and chroma with loss, as that of a JPEG does."""
    return not jxl_metadata.metadata(Held(data)).xyb and not frame(data).modular


def frame(data: bytes) -> jxl_frames.Frame:
    stream = Held(data)
    return jxl_frames.first(stream, jxl_metadata.metadata(stream, to_frames=True))


def given(picture: Pixels | None = None) -> jpeg.Planes:
    picture = images.photo(*SIZE) if picture is None else picture
    size = (picture.shape[1], picture.shape[0])
    found = jpeg.read(images.jpeg(picture, quality=95), size, 8)
    assert found is not None
    y, cb, cr = found
    luma, chroma = jpeg.plane_sizes(size)
    return y.resize(luma), cb.resize(chroma), cr.resize(chroma)


def shown(data: bytes, size: tuple[int, int] = SIZE) -> NDArray[np.int64]:
    return np.asarray(reading.decoded(data, size)).astype(int)


@pytest.mark.parametrize("kind", ["jpg", "webp"])
@pytest.mark.parametrize("recipe", ["w=101", "w=95,h=75,fit=cover", "crop=31:17:151:101", "w=450,up=1"])
def test_a_photograph_shows_what_was_asked_for(kind: str, recipe: str, written: Sizes) -> None:
    data = images.encode(images.photo(300, 200), {"jpg": "JPEG", "webp": "WEBP"}[kind], quality=95)
    made = derive(data, f"{recipe},q=80", "jxl")
    exact = derive(data, recipe, "png")
    assert written == [made.pillow().size] == [exact.pillow().size]
    assert by_coefficients(made.data)
    assert np.abs(made.pixels() - exact.pixels()).mean() < 3


@pytest.mark.parametrize("size", [(64, 64), (65, 67), (1, 4096), (257, 259)])
def test_an_image_of_any_size_is_read_to_its_edges(size: tuple[int, int]) -> None:
    x, y = np.meshgrid(np.arange(size[0]), np.arange(size[1]))
    ramp = np.stack([60 + x % 128, 120 + y % 64, 200 - (x + y) % 128], axis=-1).astype(np.uint8)
    made = photograph.write(given(ramp), size, 85, 3)
    assert shown(made, size).shape == ramp.shape
    assert np.abs(shown(made, size) - ramp.astype(int)).mean() < 4


def test_a_higher_quality_takes_more_bytes_and_is_nearer() -> None:
    made = [photograph.write(given(), SIZE, quality, 3) for quality in (1, 30, 60, 75, 84)]
    assert sorted(made, key=len) == made
    errors = [np.abs(shown(data) - images.photo(*SIZE).astype(int)).mean() for data in made]
    assert sorted(errors, reverse=True) == errors


def test_steps_are_such_as_a_jpeg_can_hold() -> None:
    for quality in range(1, 100):
        for table in photograph.tables(quality):
            assert len(table) == 64
            assert 1 <= min(table) <= max(table) <= 255


def test_the_same_planes_give_the_same_bytes_at_every_effort() -> None:
    assert len({photograph.write(given(), SIZE, 75, effort) for effort in (0, 3, 9)}) == 1


def test_nothing_of_a_jpeg_can_be_made_of_it() -> None:
    data = derive(images.jpeg(exif=images.exif(), comment=b"secret"), "w=160", "jxl").data
    assert by_coefficients(data)
    assert data.startswith(b"\xff\x0a")
    assert images.SECRET_OWNER.encode() not in data
    assert not images.jpeg_of_jxl(data)


@pytest.mark.parametrize("quality", [85, 95])
def test_chroma_has_the_whole_size_from_quality_85_on(quality: int, written: Sizes) -> None:
    made = derive(images.jpeg(), f"w=160,q={quality}", "jxl")
    assert not written
    assert not by_coefficients(made.data)


def test_a_drawing_keeps_its_colours_in_the_whole_size(written: Sizes) -> None:
    drawing = Image.new("RGB", SIZE, (0, 0, 200))
    pen = ImageDraw.Draw(drawing)
    for y in range(8, 240, 14):
        pen.text((8, y), "red on blue, in lines that go on to the edge of it", fill=(255, 0, 0))
    made = derive(images.jpeg(np.asarray(drawing), subsampling=0), "w=200", "jxl")
    assert not written
    assert not by_coefficients(made.data)


def test_a_small_picture_is_left_to_the_other_way() -> None:
    assert photograph.write(given(images.photo(64, 63)), (64, 63), 75, 3) == b""
    assert not by_coefficients(derive(images.jpeg(), "w=40", "jxl").data)


def test_without_room_the_picture_is_left_to_the_other_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(photograph, "has_room", lambda size: False)
    assert photograph.write(given(), SIZE, 75, 3) == b""
    assert not by_coefficients(derive(images.jpeg(), "w=160", "jxl").data)


def test_without_libjxl_nothing_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libjxl, "library", None)
    assert photograph.write(given(), SIZE, 75, 3) == b""


def test_the_copy_of_one_is_not_without_loss() -> None:
    """Its samples are no exact ones, although they are not libjxl's own colours either."""
    original = derive(images.jpeg(), "w=160,q=70", "jxl").data
    copy = derive(original, "", "jxl").data
    exact = derive(original, "lossless=1", "jxl").data
    assert len(copy) < len(exact) / 2
    assert not by_coefficients(copy)


def test_an_exact_one_is_copied_exactly() -> None:
    pixels = images.photo(64, 48)
    original = jxls.encoded(pixels, (1, 13))
    assert np.array_equal(derive(original, "", "jxl", limits=Limits(10_000, 1, 100, 100)).pixels(), pixels.astype(int))
