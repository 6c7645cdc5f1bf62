"""libvips decodes PNG to the pixels that Pillow has, and writes PNG by content."""

from __future__ import annotations

import io
import zlib
from pathlib import Path

import numpy as np
import pytest
import pyvips
from PIL import Image

from service.engine.headers import png
from service.engine.headers.source import OpenedFile
from service.engine.job import Undecodable
from service.engine.vips import pixels, reading, writing
from tests import images, profiles
from tests.engine.deriving import derive

SIZE = (421, 333)
PHOTO = Image.fromarray(images.photo(*SIZE))
CLEAR = Image.fromarray(images.photo_alpha(*SIZE))
KINDS = {
    "colour": PHOTO,
    "gray": PHOTO.convert("L"),
    "black and white": PHOTO.convert("1"),
    "alpha": CLEAR,
    "gray and alpha": CLEAR.convert("LA"),
    "palette": PHOTO.quantize(200),
    "four colours": PHOTO.quantize(4),
}
MODES = {"1": "L", "P": "RGB"}


def coded(picture: Image.Image, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", **options)
    return buffer.getvalue()


def decoded(folder: Path, data: bytes, size: tuple[int, int] = SIZE) -> Image.Image | None:
    path = folder / "a.png"
    path.write_bytes(data)
    return reading.png(path, "", size, 8)


@pytest.mark.parametrize("kind", KINDS)
def test_a_png_has_the_pixels_that_pillow_has(tmp_path: Path, kind: str) -> None:
    picture = KINDS[kind]
    image = decoded(tmp_path, coded(picture))
    assert image is not None
    expected = picture.convert(MODES.get(picture.mode, picture.mode))
    assert (image.mode, image.tobytes()) == (expected.mode, expected.tobytes())


def test_a_transparent_colour_becomes_alpha(tmp_path: Path) -> None:
    picture = Image.new("RGB", SIZE, (1, 2, 3))
    picture.paste((200, 100, 50), (0, 0, 100, 100))
    image = decoded(tmp_path, coded(picture, transparency=(1, 2, 3)))
    assert image is not None
    assert (image.getpixel((5, 5)), image.getpixel((200, 200))) == ((200, 100, 50, 255), (1, 2, 3, 0))


def test_16_bits_another_size_and_damage_are_left_to_others(tmp_path: Path) -> None:
    whole = coded(PHOTO)
    assert decoded(tmp_path, images.png_16bit(*SIZE)) is None
    assert decoded(tmp_path, whole, (421, 334)) is None
    assert decoded(tmp_path, whole[: len(whole) // 2]) is None
    assert decoded(tmp_path, whole[:60] + bytes(40) + whole[100:]) is None


def test_a_damaged_png_is_refused() -> None:
    whole = coded(PHOTO)
    with pytest.raises(Undecodable):
        derive(whole[:60] + bytes(40) + whole[100:], "w=64", "png")


def test_exif_behind_the_pixels_counts() -> None:
    block = Image.Exif()
    block[0x8298] = "Somebody"
    whole = coded(PHOTO)
    end = whole.index(b"IEND") - 4
    data = whole[:end] + images.png_chunk(b"eXIf", block.tobytes()[6:]) + whole[end:]
    made = derive(data, "w=64,keep=copyright", "jpg", keep=("copyright",))
    assert made.pillow().getexif()[0x8298] == "Somebody"


def dots() -> Image.Image:
    """Five colours in no order: differences between them are only more values."""
    colours = np.random.default_rng(5).integers(0, 256, (5, 3), dtype=np.uint8)
    return Image.fromarray(colours[np.random.default_rng(6).integers(0, 5, (320, 400))])


def slopes() -> Image.Image:
    """Rows that begin anywhere and rise by one a pixel: only the difference to the pixel before is always the same."""
    starts = np.random.default_rng(5).integers(0, 256, (320, 1, 3))
    return Image.fromarray(((starts + np.arange(400).reshape(1, -1, 1)) % 256).astype(np.uint8))


def slopes_both_ways() -> Image.Image:
    """Rows that are best by the pixel before, between rows that are best by the row above."""
    samples = np.asarray(slopes()).copy()
    noise = np.random.default_rng(7).integers(0, 256, (20, 1, 400, 3))
    falling = (noise + 3 * np.arange(8).reshape(1, -1, 1, 1)) % 256
    samples.reshape(20, 16, 400, 3)[:, :8] = falling
    return Image.fromarray(samples)


def filters(data: bytes, size: tuple[int, int], samples: int) -> set[int]:
    """The filters of all rows (PNG specification, 9.2)."""
    pixels, at = b"", len(png.SIGNATURE)
    while at < len(data):
        length, kind = int.from_bytes(data[at : at + 4]), data[at + 4 : at + 8]
        pixels += data[at + 8 : at + 8 + length] if kind == b"IDAT" else b""
        at += length + png.OVERHEAD
    return set(zlib.decompress(pixels)[:: size[0] * samples + 1])


def test_filters_are_chosen_by_content() -> None:
    none, sub = 0, 1
    assert filters(writing.png(dots(), None), dots().size, 3) == {none}
    assert filters(writing.png(slopes(), None), slopes().size, 3) == {sub}
    assert len(filters(writing.png(slopes_both_ways(), None), slopes().size, 3)) > 2


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
def test_a_png_that_is_written_has_the_pixels_and_nothing_else(tmp_path: Path, mode: str) -> None:
    picture = CLEAR.convert(mode)
    path = tmp_path / "a.png"
    path.write_bytes(writing.png(picture, None))
    with OpenedFile(path) as source:
        assert {chunk.kind for chunk in png.chunks(source)} == {b"IHDR", b"IDAT", b"IEND"}
    with Image.open(path) as read:
        assert (read.mode, read.tobytes()) == (mode, picture.tobytes())


def test_a_profile_is_written_as_it_is() -> None:
    with Image.open(io.BytesIO(writing.png(PHOTO, profiles.display_p3()))) as read:
        assert read.info["icc_profile"] == profiles.display_p3()


@pytest.mark.parametrize("recipe", ["w=300", "w=200,gray=1"])
def test_a_photograph_takes_no_more_than_a_twentieth_more_bytes_than_by_the_best_filter(recipe: str) -> None:
    made = derive(coded(PHOTO), recipe, "png")
    pixels = pyvips.Image.new_from_array(np.asarray(made.pillow()))
    others = [pixels.pngsave_buffer(compression=6, filter=one) for one in ("none", "sub", "up", "avg", "paeth", "all")]
    assert len(made.data) <= 1.05 * min(map(len, others))


def test_a_file_is_read_as_it_goes_and_is_not_mapped(tmp_path: Path) -> None:
    path = tmp_path / "a-file-of-this-test.tif"
    pyvips.Image.black(1000, 2000).tiffsave(str(path))
    image = pyvips.Image.tiffload_source(pixels.opened(path), access="sequential", fail_on="error")
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)
    assert path.name not in Path("/proc/self/maps").read_text()
    with pytest.raises(pyvips.Error):  # where a mapped file would end the process
        image.write_to_memory()
