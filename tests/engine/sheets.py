"""Contact sheets of small results, and SSIMULACRA2 of two of them.

SSIMULACRA2 looks at six scales, each half of the one before, down to 8 pixels a side: what is smaller than 225 pixels
has fewer, and other weights. A sheet of many small results has them all, for the cost of one.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from functools import cache

from PIL import Image
from ssimulacra2.ssimulacra2 import compute_ssimulacra2

SIDE, ACROSS = 48, 5
"""Pixels of a cell's side, and cells of a sheet's; what is larger than a cell is cut."""


def sheet(cells: Iterable[Image.Image]) -> Image.Image:
    """The cells on middle gray, row by row."""
    paper = Image.new("RGB", (SIDE * ACROSS, SIDE * ACROSS), (128, 128, 128))
    for number, cell in enumerate(cells):
        paper.paste(cell.crop((0, 0, SIDE, SIDE)), (number % ACROSS * SIDE, number // ACROSS * SIDE))
    return paper


def ssimulacra2(reference: Image.Image, other: Image.Image) -> float:
    """The score of two pictures in RGB and of one size: 100 where they are equal, 90 where no difference is seen."""
    return _score(_png(reference), _png(other))


@cache  # several formats without loss give the same sheets
def _score(reference: bytes, other: bytes) -> float:
    return float(compute_ssimulacra2(io.BytesIO(reference), io.BytesIO(other)))


def _png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()
