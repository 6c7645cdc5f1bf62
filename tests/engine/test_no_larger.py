"""Where nothing but another encoding is asked, the answer has no more bytes than the original without its metadata."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from tests import images, profiles
from tests.engine.deriving import derive

PHOTO = images.photo(320, 240)


def poor(kind: str, **options: object) -> bytes:
    """A photograph of a quality so low that encoding what it shows again takes more bytes."""
    return images.encode(Image.fromarray(PHOTO), kind, quality=10, **options)


@pytest.mark.parametrize("recipe", ["q=40", "w=320", "w=320,q=90", "w=320,h=240,fit=cover,q=95", "h=240,up=1"])
@pytest.mark.parametrize("kind", ["jpg", "webp"])
def test_an_original_of_low_quality_does_not_grow(kind: str, recipe: str) -> None:
    data = poor({"jpg": "JPEG", "webp": "WEBP"}[kind], exif=images.exif(1))
    full, made = derive(data, "", kind), derive(data, recipe, kind)
    assert len(made.data) <= len(full.data) < len(data)
    assert made.result.bytes == len(made.data)
    assert made.pillow().size == (320, 240)


def test_a_small_png_does_not_grow() -> None:
    image = Image.fromarray(PHOTO).quantize(16)
    data = images.encode(image, "PNG", optimize=True)
    assert len(derive(data, "w=320", "png").data) <= len(derive(data, "", "png").data)


@pytest.mark.parametrize("frames", [1, 3])
def test_a_png_of_one_chunk_of_pixels_is_copied_as_one(frames: int) -> None:
    noise = np.random.default_rng(8).integers(0, 256, (frames, 240, 320, 3), np.uint8)
    first, *others = [Image.fromarray(frame) for frame in noise]
    moving = {"save_all": True, "append_images": others} if others else {}
    data = one_chunk(images.encode(first, "PNG", **moving))
    assert len(derive(data, "", "png").data) <= len(data)


@pytest.mark.parametrize("size", [(63, 47), (64, 48), (33, 20)])
@pytest.mark.parametrize("kind", ["L", "RGB"])
@pytest.mark.parametrize("colours", [1, 2, 3, 16, 17])
def test_a_bmp_of_few_colours_has_as_few_bits(colours: int, kind: str, size: tuple[int, int]) -> None:
    image = Image.new(kind, size)
    shades: list[int | tuple[int, int, int]] = [15 * shade for shade in range(colours)]
    if kind == "RGB":
        shades = [(15 * shade, 0, 255 - 15 * shade) for shade in range(colours)]
    places = range(size[0] * size[1])
    for place in places:
        image.putpixel((place % size[0], place // size[0]), shades[place % colours])
    held = min(colours, len(places))
    bits = 8 if held > 16 else 1 if held <= 2 else 4
    made = derive(images.encode(image, "PNG"), "", "bmp").data
    rows = size[1] * (-(-size[0] * bits // 32) * 4)
    assert int.from_bytes(made[28:30], "little") == bits
    assert len(made) <= 54 + 4 * (256 if bits == 8 else held) + rows
    for shown in (Image.open(io.BytesIO(made)), derive(made, "", "png").pillow()):
        assert shown.convert("RGB").tobytes() == image.convert("RGB").tobytes()


def test_a_bmp_of_few_pixels_has_no_table_that_is_larger_than_they_are() -> None:
    data = images.encode(Image.new("RGB", (2, 3), (10, 20, 30)), "BMP")
    assert len(derive(data, "", "bmp").data) <= len(data)


def one_chunk(data: bytes) -> bytes:
    """The PNG with the data of each picture in one chunk, as most encoders but Pillow's write it."""
    made, at, held = bytearray(data[:8]), 8, dict[bytes, bytes]()
    number = 0
    while at < len(data):
        size, kind = int.from_bytes(data[at : at + 4]), data[at + 4 : at + 8]
        content, at = data[at + 8 : at + 8 + size], at + 12 + size
        if kind in (b"IDAT", b"fdAT"):
            held[kind] = held.get(kind, b"") + content[4 * (kind == b"fdAT") :]
            continue
        for image, pixels in held.items():
            counted = b"" if image == b"IDAT" else number.to_bytes(4)
            made += images.png_chunk(image, counted + pixels)
            number += image == b"fdAT"
        held = {}
        if kind == b"fcTL":
            content, number = number.to_bytes(4) + content[4:], number + 1
        made += images.png_chunk(kind, content)
    return bytes(made)


def test_one_that_is_stored_turned_does_not_grow_and_is_upright() -> None:
    data = images.encode(Image.fromarray(PHOTO), "JPEG", quality=10, exif=images.exif(6))
    full, made = derive(data, "", "jpg"), derive(data, "q=90", "jpg")
    assert len(made.data) <= len(full.data)
    assert made.pillow().size == (240, 320)


def test_what_is_asked_beyond_that_is_done() -> None:
    data = poor("JPEG")
    gray = derive(data, "gray=1,q=95", "jpg").pixels()
    assert np.ptp(gray, axis=2).max() <= 2
    assert derive(data, "w=160,q=95", "jpg").pillow().size == (160, 120)


@pytest.mark.parametrize("recipe", ["q=90", "w=320", "mb=60000"])
@pytest.mark.parametrize("kind", ["jpg", "webp"])
def test_a_profile_that_is_to_be_applied_does_not_stay_and_the_picture_does_not_grow(kind: str, recipe: str) -> None:
    """The quality is as low as the original's own."""
    data = poor({"jpg": "JPEG", "webp": "WEBP"}[kind], icc_profile=profiles.display_p3())
    full, made = derive(data, "", kind), derive(data, recipe, kind)
    assert "icc_profile" not in made.pillow().info
    assert len(made.data) <= len(full.data)
    assert made.result.bytes == len(made.data)


def test_a_jpeg_of_inks_does_not_grow_although_it_is_converted() -> None:
    data = images.jpeg_cmyk(quality=5)
    full, made = derive(data, "", "jpg"), derive(data, "q=95", "jpg")
    assert len(made.data) <= len(full.data)
    assert made.pillow().mode == "RGB"
