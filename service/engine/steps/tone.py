"""Light and colour: every pixel by itself, or by the histogram of its image."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from service.engine.job import Job
from service.engine.picture import Picture

_ADJUSTMENTS: dict[str, Callable[..., object]] = {
    "gray": lambda image, value: image.transform_colorspace("gray"),
    "equalize": lambda image, value: image.equalize(),
    "normalize": lambda image, value: image.normalize(),
    "negate": lambda image, value: image.negate(),
    "bri": lambda image, value: image.brightness_contrast(brightness=value, contrast=0),
    "con": lambda image, value: image.brightness_contrast(brightness=0, contrast=value),
    "sat": lambda image, value: image.modulate(saturation=100 + value),
    "gam": lambda image, value: image.gamma(value),
}
"""By key, in the order in which they are applied."""


def tone(picture: Picture, job: Job) -> None:
    for key, adjust in _ADJUSTMENTS.items():
        if key in job.recipe:
            picture.each_magick(partial(adjust, value=float(job.recipe[key])))
