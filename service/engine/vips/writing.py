"""PNG by libvips: with zlib-ng, in half of the time of other encoders here, and filters by content."""

from __future__ import annotations

import pyvips
from PIL import Image as Pillow

from service.engine.headers.png import OVERHEAD, SIGNATURE

_LEVEL = 5  # 1 % larger than at 6 and in two thirds of the time
_FILTERS = {"sub": 1.0, "none": 1.0, "all": 1.02}
"""One for all rows, none for flat colours, which repeat, or the best of five for each row. The last takes nearly twice
the time, so it has to save more: what it makes counts for 2 % more."""

_BLOCKS, _ROWS = 3, 16
"""What is tried with every filter: so many blocks of so many rows, which fill the window of deflate."""

_TRIED = 2
"""The level of a trial: it takes half of the time of level 5, and what it chose for 42 pictures took no more bytes."""


def png(image: Pillow.Image, icc: bytes | None) -> bytes:
    """Return the PNG of an image in L, LA, RGB or RGBA, with a profile; nothing else is in it. Raises MemoryError."""
    pixels = pyvips.Image.new_from_memory(image.tobytes(), *image.size, len(image.getbands()), "uchar")
    try:
        sample = _sample(pixels)
        chosen = min(_FILTERS, key=lambda one: len(_saved(sample, one, _TRIED)) * _FILTERS[one])
        if icc:
            pixels = pixels.copy()
            pixels.set_type(pyvips.GValue.blob_type, "icc-profile-data", icc)
        return _without_density(_saved(pixels, chosen, _LEVEL))
    except pyvips.Error as error:
        raise MemoryError from error


def _saved(pixels: pyvips.Image, chosen: str, level: int) -> bytes:
    return bytes(pixels.pngsave_buffer(compression=level, filter=chosen, keep="icc"))


def _sample(pixels: pyvips.Image) -> pyvips.Image:
    """A few rows of an image, or all of a small one."""
    between = pixels.height // _BLOCKS
    if between <= _ROWS:
        return pixels
    first = (between - _ROWS) // 2
    blocks = [pixels.crop(0, first + i * between, pixels.width, _ROWS) for i in range(_BLOCKS)]
    return pyvips.Image.arrayjoin(blocks, across=1)


def _without_density(data: bytes) -> bytes:
    """The file without pHYs, the chunk that libvips always writes, before the pixels."""
    start = len(SIGNATURE)
    kept = [data[:start]]
    while (kind := data[start + 4 : start + 8]) != b"IDAT":
        end = start + OVERHEAD + int.from_bytes(data[start : start + 4])
        kept += [data[start:end]] if kind != b"pHYs" else []
        start = end
    return b"".join([*kept, data[start:]])
