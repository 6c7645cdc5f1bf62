"""A plane of samples to another size, in nine tenths of the time that Pillow takes for it.

Where Pillow makes columns shorter, a pixel of four bands takes half of what four pixels of one band take. So four
samples that lie side by side are taken for a pixel, and rows are made shorter as columns of the transposed plane.
"""

from __future__ import annotations

from PIL import Image as Pillow

from service.engine.geometry import Box, Size

_BANDS = 4


def resized(plane: Pillow.Image, size: Size, kernel: Pillow.Resampling, box: Box, gap: float) -> Pillow.Image:
    """The part of a plane, of mode L, that lies in `box`, in a new size, as `plane.resize(size, kernel, box, gap)`.

    Columns are made shorter first, then rows; the samples in between are rounded to 8 bits, as Pillow does. What is at
    least twice `gap` as large is reduced before.
    """
    if max(box.width / size[0], box.height / size[1]) >= 2 * gap:
        return plane.resize(size, kernel, box.edges, gap)
    lower = _with_height(plane, size[1], kernel, (box.top, box.bottom))
    return _transposed(_with_height(_transposed(lower), size[0], kernel, (box.left, box.right)))


def _transposed(plane: Pillow.Image) -> Pillow.Image:
    return plane.transpose(Pillow.Transpose.TRANSPOSE)


def _with_height(
    plane: Pillow.Image, height: int, kernel: Pillow.Resampling, rows: tuple[float, float]
) -> Pillow.Image:
    """The rows from one edge to another, as so many rows."""
    across = -(-plane.width // _BANDS)
    stride = across * _BANDS
    samples = plane.tobytes("raw", "L", stride, 1)
    pixels = Pillow.frombuffer("CMYK", (across, plane.height), samples, "raw", "CMYK", 0, 1)
    pixels = pixels.resize((across, height), kernel, (0, rows[0], across, rows[1]))
    return Pillow.frombuffer("L", (plane.width, height), pixels.tobytes(), "raw", "L", stride, 1)
