"""libvips decodes PNG to the pixels that Pillow has."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
import pyvips
from PIL import Image

from service.engine.job import Undecodable
from service.engine.vips import pixels, reading
from tests import images
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


def test_a_file_is_read_as_it_goes_and_is_not_mapped(tmp_path: Path) -> None:
    path = tmp_path / "a-file-of-this-test.tif"
    pyvips.Image.black(1000, 2000).tiffsave(str(path))
    image = pyvips.Image.tiffload_source(pixels.opened(path), access="sequential", fail_on="error")
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)
    assert path.name not in Path("/proc/self/maps").read_text()
    with pytest.raises(pyvips.Error):  # where a mapped file would end the process
        image.write_to_memory()
