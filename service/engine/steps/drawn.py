"""Detect drawn pictures (screenshots, charts, line art, gradients): their edges are as sharp as a pixel, or they have
none and no grain either, which photographs have."""

from __future__ import annotations

from functools import reduce

from PIL import Image as Pillow
from PIL import ImageChops

from service.engine.geometry import Box

_ROWS = 24  # that are looked at, and as many columns
_FAINT_EDGE, _EDGE, _STEEP = 12, 32, 64  # differences of neighbours in their most different channel

_FLAT = 0.6  # of the opaque pixels, that equal their neighbours

FAINT, EDGES, STEEP = 0.01, 0.0004, 0.004
"""Parts of neighbouring pixels from which on a picture counts as drawn: those of one colour next to an edge, and steep
edges of any kind; the first are faint ones, of pale text (0.015 and more; of 59 photographs one has 0.017, the others
0.0066 at most). Drawn pictures have 0.0014 and more of the first (a JPEG of text 0.004, a page of it 0.03),
photographs 0.00001; of the second photographs of a megapixel and more have up to 0.0032, a line of words on one 0.0041.
A photograph that counts as drawn costs more time, and loses nothing."""

SMOOTH = 0.01
"""Part of neighbouring pixels that differ by more than a level, up to which a picture counts as drawn: of a gradient
none does (of a photograph at a seventh of its lightness 0.1)."""


def is_drawn(image: Pillow.Image, region: Box) -> bool:
    """Whether the part of an image in a mode of `Frame` that is in `region` looks drawn, by some of its rows or by some
    of its columns. An edge to what is not opaque counts where most of the opaque is of one colour: that of a logo, not
    of a person cut out."""
    edges = region.within(image.size).whole()
    return _are_drawn(_rows(image, edges)) or _are_drawn(_columns(image, edges))


def _are_drawn(rows: Pillow.Image) -> bool:
    width = rows.width
    if width < 3:
        return False
    first, second = _differences(rows, 0, width - 2), _differences(rows, 1, width - 2)
    flat = first.point([255] + [0] * 255)
    faint, beside = (
        ImageChops.darker(flat, second.point([0] * least + [255] * (256 - least))).histogram()[255]
        for least in (_FAINT_EDGE, _EDGE)
    )
    histogram = second.histogram()
    steep, rough = sum(histogram[_STEEP:]), sum(histogram[2:])
    pairs = width * _ROWS
    return max(faint / FAINT, beside / EDGES, steep / STEEP) >= pairs or rough <= SMOOTH * pairs


def _rows(image: Pillow.Image, edges: tuple[int, int, int, int]) -> Pillow.Image:
    """Rows from everywhere, one below the other."""
    left, top, right, bottom = edges
    rows = Pillow.new(image.mode, (right - left, _ROWS))
    for index in range(_ROWS):
        row = top + (2 * index + 1) * (bottom - top) // (2 * _ROWS)
        rows.paste(image.crop((left, row, right, row + 1)), (0, index))
    return rows


def _columns(image: Pillow.Image, edges: tuple[int, int, int, int]) -> Pillow.Image:
    """Columns from everywhere, lying, one below the other."""
    left, top, right, bottom = edges
    columns = Pillow.new(image.mode, (_ROWS, bottom - top))
    for index in range(_ROWS):
        column = left + (2 * index + 1) * (right - left) // (2 * _ROWS)
        columns.paste(image.crop((column, top, column + 1, bottom)), (index, 0))
    return columns.transpose(Pillow.Transpose.TRANSPOSE)


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
