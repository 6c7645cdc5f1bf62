"""Decode the run lengths of BMP, BI_RLE8 and BI_RLE4, to indices of one byte each."""

from __future__ import annotations

_END_OF_ROW, _END, _DELTA = 0, 1, 2
_NIBBLES = bytes.maketrans(b"0123456789abcdef", bytes(range(16)))


def unpacked(data: bytes, width: int, height: int, bits: int) -> tuple[bytes, bool]:
    """The indices of all rows in the order of the file, and whether all of them are there. Pixels that the codes skip
    have index 0; pixels beyond the end of a row are dropped."""
    found = bytearray(width * height)
    x = y = at = 0
    while at + 1 < len(data) and y < height:
        count, value = data[at], data[at + 1]
        at += 2
        if count:
            pair = bytes((value,)) if bits == 8 else bytes((value >> 4, value & 15))
            x = _put(found, (pair * count)[:count], x, y * width, width)
        elif value == _END_OF_ROW:
            x, y = 0, y + 1
        elif value == _END:
            return bytes(found), True
        elif value == _DELTA:
            step = data[at : at + 2]
            if len(step) < 2:
                break
            x, y, at = x + step[0], y + step[1], at + 2
        else:
            length = value if bits == 8 else (value + 1) // 2
            content = data[at : at + length]
            at += length + length % 2
            pixels = content if bits == 8 else content.hex().encode().translate(_NIBBLES)
            x = _put(found, pixels[:value], x, y * width, width)
            if len(content) < length:
                break
    return bytes(found), y >= height or (y == height - 1 and x >= width)


def _put(found: bytearray, pixels: bytes, x: int, row: int, width: int) -> int:
    """Put pixels into a row, from `x` on. Return the column behind them."""
    kept = pixels[: max(0, width - x)]
    found[row + x : row + x + len(kept)] = kept
    return x + len(pixels)
