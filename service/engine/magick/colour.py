"""Convert profiles and colour spaces by ImageMagick, with all bits of the samples."""

from __future__ import annotations

import ctypes

from wand.api import library
from wand.exceptions import WandException
from wand.image import Image

library.MagickProfileImage.argtypes = (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p, ctypes.c_size_t)
library.MagickProfileImage.restype = ctypes.c_bool  # one of the few calls that Wand does not declare

_SPACES = {b"RGB ": "srgb", b"GRAY": "gray", b"CMYK": "cmyk"}  # ICC.1:2022, table 19


def space(icc: bytes) -> str | None:
    """The colour space that a profile is for, as ImageMagick calls it; None for all but RGB, gray and CMYK."""
    return _SPACES.get(icc[16:20])


def convert(image: Image, icc: bytes | None, srgb: bytes) -> None:
    """Bring an image to sRGB, or to gray where it is gray: from its profile, where it has one of its kind."""
    gray = image.colorspace == "gray"
    if icc and gray and space(icc) == "srgb":
        image.transform_colorspace("srgb")
    if icc and space(icc) == image.colorspace:
        _apply(image, icc, srgb)
    wanted = "gray" if gray else "srgb"
    if image.colorspace != wanted:
        image.transform_colorspace(wanted)


def _apply(image: Image, icc: bytes, srgb: bytes) -> None:
    """Apply a profile. One that Little CMS cannot read is ignored."""
    image.profiles["icc"] = icc
    try:
        if not library.MagickProfileImage(image.wand, b"icc", srgb, len(srgb)):
            image.raise_exception()
    except WandException:
        return
