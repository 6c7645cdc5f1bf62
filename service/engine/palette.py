"""Decide whether a palette stores an image without loss in fewer bytes."""

from __future__ import annotations

from PIL import Image

_MOST = {"L": 16, "RGB": 256, "RGBA": 256}
"""By mode, the most colours whose index takes fewer bits than a pixel does: 16 have 4 bits, 256 have 8."""


def suits(image: Image.Image) -> bool:
    """Return True if a palette holds every colour of the image, transparency included, in fewer bits than it has."""
    return image.getcolors(_MOST.get(image.mode, 0)) is not None
