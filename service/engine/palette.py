"""Decide whether a palette stores an image without loss in fewer bytes."""

from __future__ import annotations

from PIL import Image, ImageChops

_MOST = {"L": 16, "RGB": 256, "RGBA": 256}
"""By mode, the most colours whose index takes fewer bits than a pixel does: 16 have 4 bits, 256 have 8."""


def suits(image: Image.Image) -> bool:
    """Return True if a palette holds every colour of the image, transparency included, in fewer bits than it has."""
    return image.getcolors(_MOST.get(image.mode, 0)) is not None


def indexed(image: Image.Image) -> Image.Image | None:
    """The same opaque image with a palette, or in black and white alone; None where that would lose something."""
    if image.mode not in ("L", "RGB"):
        return None
    colours = image.getcolors(256)
    if colours is None:
        return None
    if image.mode == "L":
        return image.convert("1", dither=Image.Dither.NONE) if {level for _, level in colours} <= {0, 255} else None
    made = image.quantize(len(colours), Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    return made if ImageChops.difference(made.convert("RGB"), image).getbbox() is None else None
