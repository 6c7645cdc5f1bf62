"""The bytes of a TIFF that nothing refers to.

libtiff begins everything at an even offset (TIFF 6.0, section 2), and so leaves a gap of a byte behind what has an odd
size. ImageMagick writes to memory, and does not fill these: they are what the memory held before.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}
"""Bytes of a value, by its type (TIFF 6.0, section 2)."""

_HEADER, _ENTRY, _STRIP_OFFSETS, _STRIP_BYTES = 8, 12, 273, 279


def filled(data: bytes) -> bytes:
    """A TIFF of one page, little endian as ImageMagick writes it, with zeros in its gaps."""
    made, end = bytearray(data), 0
    for start, size in sorted(_parts(data)):
        if start > end:
            made[end:start] = bytes(start - end)
        end = max(end, start + size)
    return bytes(made)


def _parts(data: bytes) -> Iterator[tuple[int, int]]:
    """Offset and size of the header, the directory, the values that do not fit into it, and the strips."""
    (directory,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, directory)
    yield 0, _HEADER
    yield directory, 2 + count * _ENTRY + 4
    strips: dict[int, tuple[int, ...]] = {}
    for place in range(directory + 2, directory + 2 + count * _ENTRY, _ENTRY):
        tag, kind, values, offset = struct.unpack_from("<HHII", data, place)
        size = values * _SIZES[kind]
        if size > 4:
            yield offset, size
        if tag in (_STRIP_OFFSETS, _STRIP_BYTES):
            letter = {3: "H", 4: "I"}[kind]
            strips[tag] = struct.unpack_from(f"<{values}{letter}", data, offset if size > 4 else place + 8)
    yield from zip(strips[_STRIP_OFFSETS], strips[_STRIP_BYTES], strict=True)
