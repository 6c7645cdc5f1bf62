"""Adjust light and colour by ImageMagick: the same arithmetic in versions 6 and 7, and alpha stays as it is.

Version 7 takes alpha for a channel like others, stretches further in `normalize`, and has another slope for contrast.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from wand.image import Image

DARKEST, BRIGHTEST = 0.0015, 0.0005
"""The parts of the pixels that `normalize` lets become black and white, as version 6 does."""

_COLOURS = "rgb"  # Wand's word for the channels but alpha


def slope(contrast: float) -> float:
    """The slope of a line about middle gray: of -100 level, of 100 upright."""
    return math.tan(math.pi * (contrast / 100 + 1) / 4)


def _line(image: Image, slope: float, start: float) -> None:
    """Every sample by a line: `start` is what becomes of black, of 1."""
    image.function("polynomial", (slope, start), channel=_COLOURS)


ADJUSTMENTS: dict[str, Callable[[Image, float], object]] = {
    "gray": lambda image, value: image.transform_colorspace("gray"),
    "equalize": lambda image, value: image.equalize(),
    "normalize": lambda image, value: image.contrast_stretch(DARKEST, BRIGHTEST),
    "negate": lambda image, value: image.negate(channel=_COLOURS),
    "bri": lambda image, value: _line(image, 1.0, value / 100),
    "con": lambda image, value: _line(image, slope(value), 0.5 - 0.5 * slope(value)),
    "sat": lambda image, value: image.modulate(saturation=100 + value),
    "gam": lambda image, value: image.gamma(value, channel=_COLOURS),
}
"""By key."""
