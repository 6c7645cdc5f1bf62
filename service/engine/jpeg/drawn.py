"""Detect a JPEG or WebP that was drawn (a screenshot, text, a chart, line art), which a smaller decode would spoil, or
scaling in luma and chroma: its edges are as sharp as a pixel, and what is next to them is level, which photographs
seldom are."""

from __future__ import annotations

from PIL import Image as Pillow
from PIL import ImageChops

from service.engine.pillow_private import looked_up

_ROWS = 24  # that are looked at, and as many columns
_LEVEL = 1  # the most that level neighbours differ by
_SHARP, _SHARP_CHROMA = 48, 32  # the least that edges differ by, in lightness and in chroma

_UP_TO_LEVEL = b"\xff" * (_LEVEL + 1) + bytes(255 - _LEVEL)
_FROM = {sharp: bytes(sharp) + b"\xff" * (256 - sharp) for sharp in (_SHARP, _SHARP_CHROMA)}
"""Differences to 255 where they count, by the least that counts."""

SHARP = {8: 0.0032, 4: 0.0053, 2: 0.0068, 1: 0.02}
"""Parts of neighbouring pixels of a JPEG that is decoded at n/8, by n, from which on it counts as drawn: those that
differ by a level at most, next to an edge of lightness. Text, charts and lines of one pixel have 0.0036 and more of the
whole, 0.017 at 1/2, 0.02 at 1/4; of 59 photographs one has 0.0037 of the whole, and one more than 0.0066 at 1/4."""


COLOURED = 0.001
"""The same for a plane of chroma of half the size: red on blue and yellow on white have 0.0012 and more, at qualities
of 60 to 95; of 15 photographs none has more than 0.0002."""


def is_drawn(image: Pillow.Image, n: int) -> bool:
    """Whether what a JPEG or, with n = 8, a WebP gives at n/8 of its size, n one of 1, 2, 4, 8, looks as if the whole
    were drawn: a smaller decode loses 4 to 50 points of SSIMULACRA2 then. Pale drawings, and colours of nearly one
    lightness, do not."""
    return _has_edges(image, _SHARP, SHARP[n])


def has_coloured_edges(chroma: Pillow.Image) -> bool:
    """Whether a plane of chroma of half the image's size looks as if the whole were drawn, in colours on each other."""
    return _has_edges(chroma, _SHARP_CHROMA, COLOURED)


def _has_edges(image: Pillow.Image, sharp: int, least: float) -> bool:
    """Whether so large a part of neighbours, across or down, are level next to ones that differ by `sharp` or more."""
    rows = image.resize((image.width, _ROWS), Pillow.Resampling.NEAREST)
    columns = image.resize((_ROWS, image.height), Pillow.Resampling.NEAREST).transpose(Pillow.Transpose.TRANSPOSE)
    return _is_sharp(rows.convert("L"), sharp, least) or _is_sharp(columns.convert("L"), sharp, least)


def _is_sharp(rows: Pillow.Image, sharp: int, least: float) -> bool:
    if rows.width < 3:
        return False
    apart = ImageChops.difference(rows.crop((0, 0, rows.width - 1, _ROWS)), rows.crop((1, 0, rows.width, _ROWS)))
    width = apart.width - 1
    level = looked_up(apart.crop((0, 0, width, _ROWS)), _UP_TO_LEVEL)
    edge = looked_up(apart.crop((1, 0, width + 1, _ROWS)), _FROM[sharp])
    return ImageChops.darker(level, edge).histogram()[255] >= least * width * _ROWS
