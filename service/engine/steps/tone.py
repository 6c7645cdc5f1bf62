"""Adjust light and colour, pixel by pixel or by the histogram of the image.

Both libraries do the same: Pillow by a table of 256 values for each operation, in a tenth of ImageMagick's time.
Transparency stays. Histograms leave out pixels that are more transparent than opaque: their colour is not exact.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate

from PIL import Image as Pillow
from PIL import ImageChops

from service.engine.job import Job
from service.engine.libraries import by_magick
from service.engine.magick.shortcomings import lacks
from service.engine.magick.tone import ADJUSTMENTS as MAGICK
from service.engine.magick.tone import BRIGHTEST, DARKEST, slope
from service.engine.picture import Picture

Adjustment = Callable[[Pillow.Image, float, Pillow.Image | None], Pillow.Image]
"""Takes an image in L or RGB, the value of the key, and the image's alpha."""

LUMA = (0.212656, 0.715158, 0.072186, 0)
"""ITU-R BT.709-6, item 3.2: lightness as a sum of red, green and blue as they are encoded."""


_SEEN = [0] * 128 + [255] * 128

_BY_HISTOGRAM = ("equalize", "normalize")


def tone(picture: Picture, job: Job) -> None:
    """`gray`, `equalize`, `normalize`, `negate`, `bri`, `con`, `sat`, `gam`, in this order."""
    for key in _ADJUSTMENTS:
        if key in job.recipe:
            _adjust(picture, job, key)


def _adjust(picture: Picture, job: Job, key: str) -> None:
    value = float(job.recipe[key])
    beyond = key in _BY_HISTOGRAM and any(frame.alpha for frame in picture.frames)
    if by_magick("tone", job) and not (beyond and lacks("tone histogram alpha")):
        picture.each_magick(lambda image: MAGICK[key](image, value))
    else:
        picture.each_pillow(lambda image: _adjusted(image, _ADJUSTMENTS[key], value))


def _adjusted(image: Pillow.Image, adjust: Adjustment, value: float) -> Pillow.Image:
    """The image with its colours adjusted and its transparency as it was."""
    if image.mode not in ("LA", "RGBA"):
        return adjust(image, value, None)
    alpha = image.getchannel("A")
    made = adjust(image.convert(image.mode[:-1]), value, alpha)
    made.putalpha(alpha)
    return made


def _gray(image: Pillow.Image, _: float, _alpha: Pillow.Image | None) -> Pillow.Image:
    return image if image.mode == "L" else image.convert("L", LUMA)


def _lightness(image: Pillow.Image, alpha: Pillow.Image | None) -> list[int]:
    """How many pixels are of each lightness."""
    return _gray(image, 0, alpha).histogram(alpha.point(_SEEN) if alpha else None)


def _equalize(image: Pillow.Image, _: float, alpha: Pillow.Image | None) -> Pillow.Image:
    """Make the histogram of lightness as even as one curve for all channels can."""
    histogram = _lightness(image, alpha)
    counted = 1.0 if image.mode == "L" else 0.5  # of a value's own pixels: lightness of colours has been rounded to it
    below = [total - count * (1 - counted) for total, count in zip(accumulate(histogram), histogram, strict=True)]
    least, most = below[0], below[-1]
    return _mapped(image, [(total - least) / (most - least) for total in below]) if most > least else image


def _normalize(image: Pillow.Image, _: float, alpha: Pillow.Image | None) -> Pillow.Image:
    """Stretch lightness to the whole range."""
    histogram = _lightness(image, alpha)
    pixels = sum(histogram)
    black = next((value for value, total in enumerate(accumulate(histogram)) if total > DARKEST * pixels), 255)
    falling = enumerate(accumulate(reversed(histogram)))
    white = 255 - next((steps for steps, total in falling if total > BRIGHTEST * pixels), 255)
    return _mapped(image, [(value - black) / (white - black) for value in range(256)]) if white > black else image


def _contrast(image: Pillow.Image, value: float, _: Pillow.Image | None) -> Pillow.Image:
    """Turn the line about middle gray, -100 to a level one and 100 to an upright one."""
    return _mapped(image, [0.5 + slope(value) * (sample / 255 - 0.5) for sample in range(256)])


def _saturation(image: Pillow.Image, value: float, _: Pillow.Image | None) -> Pillow.Image:
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
    "negate": lambda image, _, __: ImageChops.invert(image),
    "bri": lambda image, value, _: _mapped(image, [sample / 255 + value / 100 for sample in range(256)]),
    "con": _contrast,
    "sat": _saturation,
    "gam": lambda image, value, _: _mapped(image, [(sample / 255) ** (1 / value) for sample in range(256)]),
}
"""By key, in the order in which they are applied."""
