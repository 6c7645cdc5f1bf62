"""Light and colour: every pixel by itself, or by the histogram of its image.

Both libraries do the same: Pillow by a table of 256 values for each operation, in a tenth of ImageMagick's time.
Transparency stays, and transparent pixels count in a histogram.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from itertools import accumulate

from PIL import Image as Pillow
from PIL import ImageChops

from service.engine.job import Job
from service.engine.libraries import by_magick
from service.engine.magick.tone import ADJUSTMENTS as MAGICK
from service.engine.picture import Picture

Adjustment = Callable[[Pillow.Image, float], Pillow.Image]

LUMA = (0.212656, 0.715158, 0.072186, 0)
"""ITU-R BT.709-6, item 3.2: lightness as a sum of red, green and blue as they are encoded."""

_DARKEST, _BRIGHTEST = 0.0015, 0.0005
"""The parts of the pixels that `normalize` lets become black and white, as ImageMagick does."""


def tone(picture: Picture, job: Job) -> None:
    """`gray`, `equalize`, `normalize`, `negate`, `bri`, `con`, `sat`, `gam`, in this order."""
    for key, adjust in _ADJUSTMENTS.items():
        if key not in job.recipe:
            continue
        value = float(job.recipe[key])
        if by_magick("tone", job):
            picture.each_magick(partial(MAGICK[key], value=value))
        else:
            picture.each_pillow(partial(_adjusted, adjust=adjust, value=value))


def _adjusted(image: Pillow.Image, adjust: Adjustment, value: float) -> Pillow.Image:
    """The image with its colours adjusted and its transparency as it was."""
    if image.mode not in ("LA", "RGBA"):
        return adjust(image, value)
    made = adjust(image.convert(image.mode[:-1]), value)
    made.putalpha(image.getchannel("A"))
    return made


def _gray(image: Pillow.Image, _: float) -> Pillow.Image:
    return image if image.mode == "L" else image.convert("L", LUMA)


def _equalize(image: Pillow.Image, _: float) -> Pillow.Image:
    """Make the histogram of lightness as even as one curve for all channels can."""
    histogram = _gray(image, 0).histogram()
    counted = 1.0 if image.mode == "L" else 0.5  # of a value's own pixels: lightness of colours has been rounded to it
    below = [total - count * (1 - counted) for total, count in zip(accumulate(histogram), histogram, strict=True)]
    least, most = below[0], below[-1]
    return _mapped(image, [(total - least) / (most - least) for total in below]) if most > least else image


def _normalize(image: Pillow.Image, _: float) -> Pillow.Image:
    """Stretch lightness to the whole range."""
    histogram = _gray(image, 0).histogram()
    pixels = sum(histogram)
    black = next(value for value, total in enumerate(accumulate(histogram)) if total > _DARKEST * pixels)
    white = 255 - next(n for n, total in enumerate(accumulate(reversed(histogram))) if total > _BRIGHTEST * pixels)
    return _mapped(image, [(value - black) / (white - black) for value in range(256)]) if white > black else image


def _contrast(image: Pillow.Image, value: float) -> Pillow.Image:
    """Turn the line about middle gray, -100 to a level one and 100 to an upright one."""
    slope = math.tan(math.pi * (value / 100 + 1) / 4)
    return _mapped(image, [0.5 + slope * (sample / 255 - 0.5) for sample in range(256)])


def _saturation(image: Pillow.Image, value: float) -> Pillow.Image:
    """Saturation in HSL: away from, or towards, the mean of a pixel's greatest and least sample."""
    if image.mode == "L":
        return image
    samples = image.split()
    greatest = ImageChops.lighter(ImageChops.lighter(*samples[:2]), samples[2])
    least = ImageChops.darker(ImageChops.darker(*samples[:2]), samples[2])
    factor = 1 + value / 100
    sums = (factor, (1 - factor) / 2, (1 - factor) / 2, 0)
    mixed = (Pillow.merge("RGB", (sample, greatest, least)).convert("L", sums) for sample in samples)
    return Pillow.merge("RGB", tuple(mixed))


def _mapped(image: Pillow.Image, curve: list[float]) -> Pillow.Image:
    """Every sample by a curve of 256 values, 0..1 or beyond."""
    table = [int(min(1.0, max(0.0, value)) * 255 + 0.5 + 1e-6) for value in curve]
    return image.point(table * len(image.getbands()))


_ADJUSTMENTS: dict[str, Adjustment] = {
    "gray": _gray,
    "equalize": _equalize,
    "normalize": _normalize,
    "negate": lambda image, _: ImageChops.invert(image),
    "bri": lambda image, value: _mapped(image, [sample / 255 + value / 100 for sample in range(256)]),
    "con": _contrast,
    "sat": _saturation,
    "gam": lambda image, value: _mapped(image, [(sample / 255) ** (1 / value) for sample in range(256)]),
}
"""By key, in the order in which they are applied."""
