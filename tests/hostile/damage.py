"""Whole images of every format and coding, small enough to be broken thousands of times, and how they are broken."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from random import Random
from typing import Any

from tests import images

SIZE = (24, 18)


@functools.cache
def whole() -> dict[str, bytes]:
    """By a name that ends on the format's word."""
    small, clear = images.photo(*SIZE), images.photo_alpha(*SIZE)
    return {
        "baseline.jpg": images.jpeg(small, exif=images.exif(6)),
        "progressive.jpg": images.jpeg(small, progressive=True),
        "cmyk.jpg": images.jpeg_cmyk(*SIZE),
        "colour.png": images.png(small),
        "alpha.png": images.png(clear),
        "palette.png": images.png_palette(*SIZE, colours=16, transparent=True),
        "deep.png": images.png_16bit(*SIZE, alpha=True),
        "lossy.webp": images.webp(small),
        "lossless.webp": images.webp(clear, lossless=True),
        "animated.webp": images.webp_animated(count=3),
        "still.gif": images.gif(*SIZE),
        "animated.gif": images.gif_animated(count=3),
        "plain.tif": images.tiff(small),
        "lzw.tif": images.tiff(small, compression="tiff_lzw"),
        "deflate.tif": images.tiff(clear, compression="tiff_deflate"),
        "plain.bmp": images.bmp(small),
        "icon.ico": images.ico((16, 32)),
        "still.avif": images.avif(small),
        "still.heic": images.heic(images.photo(64, 48)),
    }


def broken_scans() -> Iterator[tuple[str, bytes]]:
    """Whole JPEGs with 400 bytes of their data overwritten, of every coding; none with a marker among them."""
    codings: dict[str, dict[str, Any]] = {
        "baseline": {},
        "progressive": {"progressive": True},
        "restarts": {"restart_marker_rows": 1},
    }
    for name, options in codings.items():
        data = images.jpeg(images.photo(320, 240), **options)
        begin = data.index(b"\xff\xda") + 20
        place, random = begin + (len(data) - begin) // 3, Random(name)
        yield f"{name}.jpg", data[:place] + bytes(random.choices(range(255), k=400)) + data[place + 400 :]


def truncations(data: bytes) -> Iterator[bytes]:
    """The first 1/16, 2/16 ... 15/16, and all but the last few bytes that matter."""
    for part in range(1, 16):
        yield data[: len(data) * part // 16]


def corruptions(data: bytes, count: int, seed: str) -> Iterator[bytes]:
    """The data with one byte changed, `count` times; half of them near the beginning, where the headers are."""
    random = Random(seed)
    for number in range(count):
        place = random.randrange(min(len(data), 128) if number % 2 else len(data))
        changed = bytearray(data)
        changed[place] ^= random.choice((0x01, 0x80, 0xFF, random.randrange(1, 256)))
        yield bytes(changed)
