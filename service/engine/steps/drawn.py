"""Detect drawn pictures (screenshots, charts, line art) by edges as sharp as a pixel, which photographs do not have."""

from __future__ import annotations

from functools import reduce

from PIL import Image as Pillow
from PIL import ImageChops

from service.engine.geometry import Box

_ROWS = 24  # that are looked at
_EDGE, _STEEP = 32, 64  # differences of neighbours in their most different channel

_FLAT = 0.6  # of the opaque pixels, that equal their neighbours

EDGES, STEEP = 0.0004, 0.006
"""Parts of neighbouring pixels from which on a picture counts as drawn: those of one colour next to an edge, and steep
edges of any kind. Drawn pictures have 0.0014 and more of the first (a JPEG of text 0.004, a page of it 0.03),
photographs 0.00001; of the second photographs have up to 0.002."""


def is_drawn(image: Pillow.Image, region: Box) -> bool:
    """Whether the part of an image in a mode of `Frame` that is in `region` looks drawn, by some of its rows. An edge
    to what is not opaque counts where most of the opaque is of one colour: that of a logo, not of a person cut out."""
    left, top, right, bottom = region.within(image.size).whole()
    width = right - left
    if width < 3:
        return False
    rows = _rows(image, (left, top, right, bottom))
    first, second = _differences(rows, 0, width - 2), _differences(rows, 1, width - 2)
    edges = second.point([0] * _EDGE + [255] * (256 - _EDGE))
    beside = ImageChops.darker(first.point([255] + [0] * 255), edges).histogram()[255]
    steep = sum(second.histogram()[_STEEP:])
    return beside >= EDGES * width * _ROWS or steep >= STEEP * width * _ROWS


def _rows(image: Pillow.Image, edges: tuple[int, int, int, int]) -> Pillow.Image:
    """Rows from everywhere, one below the other."""
    left, top, right, bottom = edges
    rows = Pillow.new(image.mode, (right - left, _ROWS))
    for index in range(_ROWS):
        row = top + (2 * index + 1) * (bottom - top) // (2 * _ROWS)
        rows.paste(image.crop((left, row, right, row + 1)), (0, index))
    return rows


def _differences(rows: Pillow.Image, start: int, width: int) -> Pillow.Image:
    """Of `width` pixels from column `start` on to the next one, the largest of all channels."""
    one = rows.crop((start, 0, start + width, _ROWS))
    other = rows.crop((start + 1, 0, start + 1 + width, _ROWS))
    if rows.mode not in ("LA", "RGBA"):
        return reduce(ImageChops.lighter, ImageChops.difference(one, other).split())
    *colours, alpha = ImageChops.difference(one, other).split()
    opaque = ImageChops.darker(one.getchannel("A"), other.getchannel("A")).point([0] * 255 + [255])
    colour = reduce(ImageChops.lighter, colours)
    seen = colour.histogram(mask=opaque)
    inside = ImageChops.darker(colour, opaque)
    return ImageChops.lighter(inside, alpha) if seen[0] > _FLAT * sum(seen) else inside
