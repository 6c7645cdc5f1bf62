"""Samples of more than 8 bits to Pillow's 8, each channel through a table, in Pillow's own code."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from functools import lru_cache

from PIL import Image as Pillow

from service.engine.colorimetry import SRGB, Curve
from service.engine.geometry import Size
from service.engine.pillow_private import looked_up

_STRIP = 1 << 22
"""Samples that are handled at once: they take ten bytes each."""

_CODES = 65536


@lru_cache(maxsize=8)
def rounded(most: int, curve: Curve | None = None) -> bytes:
    """Return the 8-bit sample of each of 0..most: with another `curve` than sRGB's, the one that shows the same."""
    samples = (sample / most for sample in range(most + 1))
    if curve in (None, SRGB):
        return bytes(round(255 * v) for v in samples)
    return bytes(round(255 * min(1.0, max(0.0, SRGB.sample(curve.light(v))))) for v in samples)


def eight_bits(data: bytes | memoryview, size: Size, mode: str, tables: Sequence[bytes]) -> Pillow.Image:
    """Return an image of `mode` (L, LA, RGB or RGBA) by the tables, one for each channel.

    `data` are the samples pixel by pixel, in two bytes each, the low one first; a sample beyond a table counts as its
    last.
    """
    width, height = size
    channels, view = len(tables), memoryview(data).cast("B")
    full = [table + table[-1:] * (_CODES - len(table)) for table in tables]
    made, row = Pillow.new(mode, size), 2 * channels * width
    rows = max(1, _STRIP // (channels * width))
    for top in range(0, height, rows):
        count = min(rows, height - top)
        samples = array("H", view[top * row : (top + count) * row].tobytes())
        bands = [_channel(samples[i::channels], (width, count), table) for i, table in enumerate(full)]
        made.paste(Pillow.merge(mode, bands) if channels > 1 else bands[0], (0, top))
    return made


def _channel(samples: array[int], size: Size, table: bytes) -> Pillow.Image:
    return looked_up(Pillow.frombytes("I;16", size, samples.tobytes()).convert("I"), table)
