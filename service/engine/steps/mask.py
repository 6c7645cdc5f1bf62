"""`mask` and `radius`: cut the result to an ellipse, or round its corners.

What is outside is transparent; `flatten` lays `bg` there in a format without transparency.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from PIL import Image as Pillow
from PIL import ImageChops

from service.engine.geometry import Box, Size
from service.engine.job import Job
from service.engine.picture import Picture

_LINES = 8
"""Lines of a row of pixels on which its edge is measured; across the edge is exact."""

_OUTSIDE = (1 - math.sqrt(0.5)) / 2
"""Of a circle's diameter, how far a square in it is from the one around it."""

Inset = Callable[[float], float]
"""How far from the left and from the right edge the shape begins, in pixels, at a height in pixels from the top."""


def mask(picture: Picture, job: Job) -> None:
    """Multiply the shape of `mask` or `radius` into the picture's transparency."""
    inset = _inset(picture.size, job.recipe)
    if inset:
        shape = coverage(picture.size, inset)
        picture.region = _inner(picture.region, picture.size, job.recipe)
        picture.each_pillow(lambda image: _cut(image, shape))


def coverage(size: Size, inset: Inset) -> Pillow.Image:
    """How much of every pixel a shape covers, 0..255 in mode L. Its four quarters are alike."""
    width, height = size
    upper = [_row(width, [inset(y + (line + 0.5) / _LINES) for line in range(_LINES)]) for y in range(-(-height // 2))]
    rows = upper + upper[: height // 2][::-1]
    return Pillow.frombytes("L", size, b"".join(rows))


def _inset(size: Size, recipe: dict[str, str]) -> Inset | None:
    if "mask" in recipe:
        return lambda y: _arc(size[0] / 2, size[1] / 2, y)
    if "radius" not in recipe:
        return None
    asked, most = recipe["radius"], min(size) / 2
    radius = most if asked == "max" else min(most, int(asked))
    return lambda y: _arc(radius, radius, y)


def _inner(region: Box, size: Size, recipe: dict[str, str]) -> Box:
    """The part of the region in the largest rectangle of the image's shape in an ellipse, or without round corners."""
    width, height = size
    if "mask" in recipe:
        x, y = width * _OUTSIDE, height * _OUTSIDE
    else:
        asked, most = recipe["radius"], min(size) / 2
        x = y = (most if asked == "max" else min(most, int(asked))) * 2 * _OUTSIDE
    left, top = max(region.left, x), max(region.top, y)
    return Box(left, top, max(left + 1, min(region.right, width - x)), max(top + 1, min(region.bottom, height - y)))


def _arc(across: float, down: float, y: float) -> float:
    """The inset of a quarter of an ellipse with these half axes, at `y` from its top; 0 below it."""
    return across - across * math.sqrt(1 - ((down - y) / down) ** 2) if y < down else 0.0


def _row(width: int, insets: list[float]) -> bytes:
    """One row of the shape: nothing, its edge, all of it, and the same from the right."""
    first, last = int(min(insets)), min(math.ceil(max(insets)), -(-width // 2))
    edge = bytes(_covered(x, width, insets) for x in range(first, last))
    half = (bytes(first) + edge).ljust(-(-width // 2), b"\xff")
    return half + half[: width // 2][::-1]


def _covered(x: int, width: int, insets: list[float]) -> int:
    covered = sum(max(0.0, min(x + 1, width - inset) - max(x, inset)) for inset in insets)
    return int(covered / len(insets) * 255 + 0.5)


def _cut(image: Pillow.Image, shape: Pillow.Image) -> Pillow.Image:
    made = image.copy()
    made.putalpha(ImageChops.multiply(image.getchannel("A"), shape) if image.mode in ("LA", "RGBA") else shape)
    return made
