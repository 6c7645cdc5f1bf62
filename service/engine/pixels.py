"""Copy pixels between ImageMagick and Pillow as plain samples.

The channels follow the image: gray, RGB or CMYK, the first two with straight alpha where the image has it. Only pixels
are copied, so the copy carries no metadata.
"""

from __future__ import annotations

import ctypes
from typing import Any

from PIL import Image as Pillow
from wand.api import library
from wand.image import Image

CHAR_PIXEL, SHORT_PIXEL = 1, 7  # the StorageType of MagickWand, in ImageMagick 6 and 7
_STORAGE = {"B": CHAR_PIXEL, "H": SHORT_PIXEL, "I": 4, "f": 3}  # by the type codes of array; the same in both
_MAPS = {"L": b"I", "LA": b"IA", "RGB": b"RGB", "RGBA": b"RGBA", "CMYK": b"CMYK"}
_SPACES = {"gray": "L", "srgb": "RGB", "cmyk": "CMYK"}


def mode(image: Image) -> str | None:
    """Pillow's mode that holds the image without loss; None where 8 bits or Pillow's colour spaces do not suffice."""
    channels = _SPACES.get(image.colorspace)
    if image.depth > 8 or channels is None:
        return None
    if image.alpha_channel:
        return None if channels == "CMYK" else channels + "A"
    return channels


def exported(image: Image) -> Pillow.Image:
    """The image's pixels in Pillow. What has no mode there becomes 8-bit sRGB first."""
    channels = mode(image)
    if channels is None:
        if image.colorspace not in ("srgb", "gray"):
            image.transform_colorspace("srgb")
        channels = ("L" if image.colorspace == "gray" else "RGB") + ("A" if image.alpha_channel else "")
    return Pillow.frombuffer(channels, image.size, _samples(image, channels, ctypes.c_char), "raw", channels, 0, 1)


def exported_deep(image: Image) -> tuple[str, bytes]:
    """Pillow's mode for the image's channels, and its samples of 16 bits, pixel by pixel, the low byte first."""
    mode = ("L" if image.colorspace == "gray" else "RGB") + ("A" if image.alpha_channel else "")
    return mode, bytes(_samples(image, mode, ctypes.c_uint16))


def _samples(image: Image, mode: str, kind: type[ctypes.c_char] | type[ctypes.c_uint16]) -> Any:
    """The samples of Pillow's `mode`, pixel by pixel, as an array of ctypes."""
    channels = _MAPS[mode]
    samples = (kind * (image.width * image.height * len(channels)))()
    storage = CHAR_PIXEL if kind is ctypes.c_char else SHORT_PIXEL
    if not library.MagickExportImagePixels(
        image.wand, 0, 0, image.width, image.height, channels, storage, ctypes.byref(samples)
    ):
        image.raise_exception()
    return samples


def imported(pixels: Pillow.Image) -> Image:
    """A new ImageMagick image of these pixels."""
    return deep(_MAPS[pixels.mode], pixels.size, pixels.tobytes(), "B")


def deep(channels: bytes, size: tuple[int, int], samples: bytes, code: str) -> Image:
    """A new ImageMagick image of samples of any depth, pixel by pixel, in the byte order of the machine.

    `channels` is I, RGB or CMYK, with A or without; `code` is array's: B, H or I, whose largest value is white, or f,
    whose white is 1 and which is cut to 0..1.
    """
    image = Image()
    if not library.MagickConstituteImage(image.wand, *size, channels, _STORAGE[code], samples):
        image.raise_exception()
    return image


def reinterpreted(image: Pillow.Image, mode: str) -> Pillow.Image:
    """The same samples under another mode of as many channels."""
    return Pillow.frombytes(mode, image.size, image.tobytes())
