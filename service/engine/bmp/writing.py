"""BMP of 1 and 4 bits a pixel, which Pillow does not write (BITMAPINFOHEADER, rows from the bottom up)."""

from __future__ import annotations

import struct

from PIL import Image

from service.engine import palette

_FILE, _INFO = 14, 40
"""Bytes of the two headers."""

_MOST = 16


def dense(image: Image.Image) -> bytes | None:
    """An image in L or RGB with a table of its 16 colours at most; None where it has more, or is of another mode."""
    colours = image.getcolors(_MOST) if image.mode in ("L", "RGB") else None
    indexed = palette.indexed(image.convert("RGB")) if colours else None
    if indexed is None:
        return None
    flat = bytes(indexed.getpalette("RGB") or ())
    entries = [flat[at : at + 3] for at in range(0, len(flat), 3)][:_MOST]
    bits = 1 if len(entries) <= 2 else 4
    table = b"".join(entry[::-1] + b"\0" for entry in entries)
    stride = -(-image.width * bits // 32) * 4
    rows = indexed.tobytes("raw", f"P;{bits}", stride, -1)
    begins = _FILE + _INFO + len(table)
    return (
        struct.pack("<2sIII", b"BM", begins + len(rows), 0, begins)
        + struct.pack("<IiiHHIIiiII", _INFO, *image.size, 1, bits, 0, len(rows), 0, 0, len(entries), 0)
        + table
        + rows
    )
