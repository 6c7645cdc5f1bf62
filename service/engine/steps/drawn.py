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

_LEVEL, _SHARP = 1, 48
SHARP = {8: 0.0032, 4: 0.0053, 2: 0.0068, 1: 0.02}
"""Parts of neighbouring pixels of a JPEG that is decoded at n/8, by n, from which on it counts as drawn: those that
differ by a level at most, next to an edge of lightness. Text, charts and lines of one pixel have 0.0036 and more of the
whole, 0.017 at 1/2, 0.02 at 1/4; of 59 photographs one has 0.0037 of the whole, and one more than 0.0066 at 1/4."""


def is_drawn(image: Pillow.Image, region: Box) -> bool:
    """Whether the part of an image in a mode of `Frame` that is in `region` looks drawn, by some of its rows or by some
    of its columns. An edge to what is not opaque counts where most of the opaque is of one colour: that of a logo, not
    of a person cut out."""
    edges = region.within(image.size).whole()
    return _are_drawn(_rows(image, edges)) or _are_drawn(_columns(image, edges))


def was_drawn(image: Pillow.Image, n: int) -> bool:
    """Whether what a JPEG gives at n/8 of its size, n one of 1, 2, 4, 8, looks as if the whole were drawn: a smaller
    decode loses 4 to 50 points of SSIMULACRA2 then. Pale drawings, and colours of nearly one lightness, do not."""
    edges = (0, 0, *image.size)
    return _is_sharp(_rows(image, edges), SHARP[n]) or _is_sharp(_columns(image, edges), SHARP[n])


def _is_sharp(rows: Pillow.Image, least: float) -> bool:
    if rows.width < 3:
        return False
    lightness, width = rows.convert("L"), rows.width - 2
    level = _differences(lightness, 0, width).point([255] * (_LEVEL + 1) + [0] * (255 - _LEVEL))
    edge = _differences(lightness, 1, width).point([0] * _SHARP + [255] * (256 - _SHARP))
    return ImageChops.darker(level, edge).histogram()[255] >= least * width * _ROWS


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
    return image.resize((edges[2] - edges[0], _ROWS), Pillow.Resampling.NEAREST, edges)


def _columns(image: Pillow.Image, edges: tuple[int, int, int, int]) -> Pillow.Image:
    """Columns from everywhere, lying, one below the other."""
    columns = image.resize((_ROWS, edges[3] - edges[1]), Pillow.Resampling.NEAREST, edges)
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
