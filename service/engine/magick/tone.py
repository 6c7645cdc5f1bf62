"""Adjust light and colour by ImageMagick."""

from __future__ import annotations

from collections.abc import Callable

from wand.image import Image

ADJUSTMENTS: dict[str, Callable[[Image, float], object]] = {
    "gray": lambda image, value: image.transform_colorspace("gray"),
    "equalize": lambda image, value: image.equalize(),
    "normalize": lambda image, value: image.normalize(),
    "negate": lambda image, value: image.negate(),
    "bri": lambda image, value: image.brightness_contrast(brightness=value, contrast=0),
    "con": lambda image, value: image.brightness_contrast(brightness=0, contrast=value),
    "sat": lambda image, value: image.modulate(saturation=100 + value),
    "gam": lambda image, value: image.gamma(value),
}
"""By key."""
