"""Scaling by Lanczos in libvips, in a quarter of Pillow's time, as exact as photographs need it; what is drawn loses 1
to 40 points of SSIMULACRA2."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import pyvips
from PIL import Image as Pillow

from service.engine.geometry import Box, Size
from service.engine.vips import pixels

_NOTHING = 1e-6
"""Pixels by which a box may lie elsewhere through the rounding of numbers alone."""

_EXACT, _FAR = 2.5, 5.5
"""Scales up to which white always stays white, and from which on it hardly ever does."""

_NEARBY = (0, 8e-5, -8e-5, 16e-5, -16e-5)
"""Parts by which a scale in between may be another, so that they do."""

_ASIDE = 0.06
"""Pixels of the result by which that may displace its edges."""


class _Side(NamedTuple):
    """The whole pixels `start`..`end` that libvips is given of one side, and how many become one."""

    start: int
    end: int
    scale: float


def suits(region: Box, size: Size, whole: Size) -> bool:
    """Return True if `resized` gives this region of an image of size `whole`, as exactly as a photograph needs it."""
    return None not in _sides(region, size, whole)


def resized(image: Pillow.Image, region: Box, size: Size) -> Pillow.Image:
    """Return the region at `size`. Transparency has to be multiplied in before. Raises MemoryError.

    Columns come before rows, which takes half of the time of the other order. Each pass loses a thousandth of the
    light, since libvips cuts coefficients off; the second one scales the negative, so that both cancel in the mean.
    """
    across, down = _sides(region, size, image.size)
    assert across and down
    part = pixels.imported(image).crop(across.start, down.start, across.end - across.start, down.end - down.start)
    try:
        made = _across(_down(part, down.scale).invert(), across.scale).invert()
        return pixels.exported(made, image.mode)
    except pyvips.Error as error:
        raise MemoryError from error


def _sides(region: Box, size: Size, whole: Size) -> tuple[_Side | None, _Side | None]:
    return _side(region.left, region.right, size[0], whole[0]), _side(region.top, region.bottom, size[1], whole[1])


def _across(image: pyvips.Image, scale: float) -> pyvips.Image:
    return image.reduceh(scale, kernel="lanczos3", gap=0)


def _down(image: pyvips.Image, scale: float) -> pyvips.Image:
    return image.reducev(scale, kernel="lanczos3", gap=0)


@lru_cache(maxsize=256)
def _side(start: float, end: float, count: int, most: int) -> _Side | None:
    """What makes `count` pixels of those between `start` and `end` of `most`; None where nothing does, and for more.

    libvips takes what it scales out of the middle of what it is given, and rounds the number of pixels: so the middle
    has to be that of whole pixels.
    """
    scale, middle = (end - start) / count, round(start + end)  # the latter twice
    if not 1 <= scale < _FAR or abs(middle - start - end) > _NOTHING:
        return None
    least = round(end - start)
    least -= (least - middle) % 2
    for length in (least, least + 2):
        first = (middle - length) // 2
        if first < 0 or first + length > most:
            continue
        for nearby in _NEARBY:
            other = scale * (1 + nearby)
            fits = other >= 1 and int(length / other + 0.5) == count and abs(nearby) * count / 2 <= _ASIDE
            if fits and _keeps_white(length, other):
                return _Side(first, first + length, other)
    return None


def _keeps_white(length: int, scale: float) -> bool:
    """Return True if white stays white: if coefficients, which libvips cuts off at 12 bits, sum up to nearly one."""
    if scale < _EXACT:
        return True
    white = pyvips.Image.black(length, 1).linear(1, 255, uchar=True)
    return bool(_across(white, scale).min() == 255)
