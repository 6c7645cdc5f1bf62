"""TIFFs of a photograph as libvips and Pillow write them, in all kinds of strips, tiles, samples and compressions."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from functools import partial
from operator import methodcaller
from typing import Any

import pyvips
from PIL import Image

from tests import images

PHOTO = images.photo(203, 151)


def by_libvips(change: Callable[[pyvips.Image], pyvips.Image], **options: Any) -> bytes:
    photo = pyvips.Image.new_from_array(PHOTO).copy(interpretation="srgb")
    data = change(photo).tiffsave_buffer(**options)
    assert isinstance(data, bytes)
    return data


def unchanged(image: pyvips.Image) -> pyvips.Image:
    return image


def gray(image: pyvips.Image) -> pyvips.Image:
    return image.colourspace("b-w")


def deep(image: pyvips.Image) -> pyvips.Image:
    return (image.cast("ushort") * 257).cast("ushort").copy(interpretation="rgb16")


def floating(image: pyvips.Image) -> pyvips.Image:
    return image.cast("float") / 255


def by_pillow_in(mode: str, **options: Any) -> bytes:
    image = Image.fromarray(PHOTO)
    if mode == "I;16":
        picture = Image.fromarray(PHOTO[..., 0].astype("u2") * 257 + 3)
    else:
        picture = image.quantize(40) if mode == "P" else image.convert(mode)
    return images.encode(picture, "TIFF", **options)


def files() -> Iterator[tuple[str, Callable[[], bytes]]]:
    for packed, tile in itertools.product(("none", "jpeg", "deflate", "lzw", "packbits"), (False, True)):
        options: dict[str, Any] = {"compression": packed, "tile": tile, "tile_width": 64, "tile_height": 64}
        for predictor, big in (("none", False), ("horizontal", True)):
            name = f"{packed}{' tiles' * tile} {predictor}{' big' * big}"
            yield (
                name,
                partial(by_libvips, unchanged, predictor=predictor, bigtiff=big, pyramid=tile and big, **options),
            )
        yield f"{packed}{' tiles' * tile} gray", partial(by_libvips, gray, **options)
    for width, height, quality in itertools.product((130, 128), (66, 144), (75, 95)):
        tiles = {"compression": "jpeg", "tile": True, "tile_width": 64, "tile_height": 64, "Q": quality}
        cropped = methodcaller("crop", 0, 0, width, height)
        yield f"jpeg tiles {width}x{height} {quality}", partial(by_libvips, cropped, **tiles)
    yield "16 bits", partial(by_libvips, deep, compression="lzw", predictor="horizontal")
    yield FLOATING, partial(by_libvips, floating, compression="deflate", predictor="float")
    for bits in (1, 2, 4):
        few = {"bitdepth": bits, "compression": "lzw", "predictor": "none", "miniswhite": True}
        yield f"{bits} bits", partial(by_libvips, gray, **few)
    yield "telefax tiles", partial(by_libvips, gray, compression="ccittfax4", bitdepth=1, tile=True)
    for modes, compressions in MODES.items():
        for mode, compression, size in itertools.product(modes, compressions, (3000, 1 << 20)):
            made = partial(by_pillow_in, mode, compression=compression, strip_size=size)
            yield f"{mode} {compression} {size}", made


FLOATING = "floating"
MODES = {
    ("RGB", "L", "CMYK"): (None, "tiff_lzw", "tiff_adobe_deflate", "jpeg"),
    ("RGBA", "F", "P", "I;16", "1"): (None, "packbits", "tiff_adobe_deflate"),
    ("1",): ("group3", "group4", "tiff_ccitt"),
}
FILES = dict(files())
