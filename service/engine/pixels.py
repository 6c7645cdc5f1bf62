"""Copy pixels between ImageMagick and Pillow as plain samples.

The channels follow the image: gray, RGB or CMYK, the first two with straight alpha where the image has it. Only pixels
are copied, so the copy carries no metadata.
"""

from __future__ import annotations

import ctypes

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
    samples = _MAPS[channels]
    buffer = (ctypes.c_char * (image.width * image.height * len(samples)))()
    if not library.MagickExportImagePixels(
        image.wand, 0, 0, image.width, image.height, samples, CHAR_PIXEL, ctypes.byref(buffer)
    ):
        image.raise_exception()
    return Pillow.frombuffer(channels, image.size, buffer, "raw", channels, 0, 1)


def exported_deep(image: Image) -> tuple[str, bytes]:
    """Pillow's mode for the image's channels, and its samples of 16 bits, pixel by pixel, the low byte first."""
    mode = ("L" if image.colorspace == "gray" else "RGB") + ("A" if image.alpha_channel else "")
    samples = _MAPS[mode]
    buffer = (ctypes.c_uint16 * (image.width * image.height * len(samples)))()
    if not library.MagickExportImagePixels(
        image.wand, 0, 0, image.width, image.height, samples, SHORT_PIXEL, ctypes.byref(buffer)
    ):
        image.raise_exception()
    return mode, bytes(buffer)


def imported(pixels: Pillow.Image) -> Image:
    """A new ImageMagick image of these pixels."""
    image = Image()
    if not library.MagickConstituteImage(
        image.wand, pixels.width, pixels.height, _MAPS[pixels.mode], CHAR_PIXEL, pixels.tobytes()
    ):
        image.raise_exception()
    return image


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
