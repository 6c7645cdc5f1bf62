"""Scaling by Lanczos in libvips, in a third of Pillow's time; the same picture, so that Pillow may do it instead."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import pyvips
from PIL import Image as Pillow

from service.engine.geometry import Box, Size
from service.engine.vips import pixels

_NOTHING = 1e-6
"""Pixels by which a box may lie elsewhere through the rounding of numbers alone."""

MOST, MOST_DARK = 3.25, 2.5
"""Pixels per pixel of the result up to which what is drawn, light or dark, loses about a point of SSIMULACRA2 at most
to Pillow's Lanczos: libvips rounds coefficients to 6 bits. Photographs lose half a point at most."""

_EXACT, _FAR = 2.5, 5.5
"""Scales up to which coefficients always sum up to one, and from which on they hardly ever do."""

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
    """Return True if `resized` gives this region of an image of size `whole` as exactly as Pillow does."""
    return None not in _sides(region, size, whole)


def resized(image: Pillow.Image, region: Box, size: Size, *, drawn: bool) -> Pillow.Image:
    """Return the region at `size`. Transparency has to be multiplied in before. Raises MemoryError.

    Rows before columns, as Pillow does it, takes twice as long, and matters where edges are sharp: what is above white
    or below black is cut off in between.
    """
    across, down = _sides(region, size, image.size)
    assert across and down
    part = pixels.imported(image).crop(across.start, down.start, across.end - across.start, down.end - down.start)
    try:
        made = (
            _down(_across(part, across.scale), down.scale) if drawn else _across(_down(part, down.scale), across.scale)
        )
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
    """Whether coefficients, which libvips rounds to 6 bits, sum up to one, so that what is flat stays as it is."""
    if scale < _EXACT:
        return True
    white = pyvips.Image.black(length, 1).linear(1, 255, uchar=True)
    return bool(_across(white, scale).min() == 255)
