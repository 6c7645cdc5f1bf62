"""Cut and scale one plane, of luma or chroma: as it is stored, of fewer samples than pixels, to what a region of the
upright original shows."""

from __future__ import annotations

import math
from functools import lru_cache

from PIL import Image as Pillow

from service.engine import geometry
from service.engine.convolution import Line, scaled, scaled_finely
from service.engine.geometry import Box, Size
from service.engine.job import Header
from service.engine.pillow_private import looked_up
from service.engine.steps.orient import TURNS

_NOTHING = 1e-6
"""Samples by which a region may pass an edge through the rounding of numbers alone."""


def resized(
    plane: Pillow.Image,
    scale: tuple[float, float],
    header: Header,
    region: Box,
    size: Size,
    kernel: Pillow.Resampling,
    line: Line | None = None,
) -> Pillow.Image:
    """The part of a plane that shows a region of the upright original, upright and in its new size; with a `line` in
    the range of samples that it gives.

    `scale` is samples per pixel of the original, across and down as it is stored. Raises MemoryError.
    """
    across, down = scale
    shown = geometry.turned(Box(0, 0, header.width * across, header.height * down), plane.size, header.orientation)
    if header.orientation != 1:
        plane = plane.transpose(TURNS[header.orientation])
    if header.orientation >= 5:
        across, down = down, across
    box = Box(region.left * across, region.top * down, region.right * across, region.bottom * down)
    box = box.moved(shown.left, shown.top)
    if (box.width, box.height) == size and box == Box(*box.whole()):
        part = reaching(plane, int(box.right), int(box.bottom)).crop(box.whole())
        return in_range(part, line) if line else part
    plane = reaching(plane, math.ceil(box.right - _NOTHING), math.ceil(box.bottom - _NOTHING))
    box = box.within(plane.size)
    return scaled_finely(plane, size, box, kernel, line) if line else scaled(plane, size, box, kernel, down_first=True)


def in_range(plane: Pillow.Image, line: Line) -> Pillow.Image:
    """The plane with its samples in another range."""
    return looked_up(plane, _table(line))


@lru_cache(maxsize=8)
def _table(line: Line) -> bytes:
    factor, offset = line
    return bytes(min(255, max(0, round(sample * factor + offset))) for sample in range(256))


def reaching(plane: Pillow.Image, right: int, bottom: int) -> Pillow.Image:
    """The plane with its last column and row repeated up to these edges, where it ends before."""
    width, height = plane.size
    if right <= width and bottom <= height:
        return plane
    larger = Pillow.new("L", (max(right, width), max(bottom, height)))
    larger.paste(plane)
    if right > width:
        larger.paste(
            larger.crop((width - 1, 0, width, larger.height)).resize((right - width, larger.height)), (width, 0)
        )
    if bottom > height:
        larger.paste(
            larger.crop((0, height - 1, larger.width, height)).resize((larger.width, bottom - height)), (0, height)
        )
    return larger
