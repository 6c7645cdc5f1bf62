"""Undo PNG's filters by libspng, which has SIMD for them.

It inflates by zlib, which takes two to nine times as long as libdeflate. So it gets rows that are inflated already, in
a PNG whose Deflate blocks are stored (RFC 1951, 3.2.4), and zlib only copies them. Nothing else of a file reaches it.
"""

from __future__ import annotations

import ctypes
from typing import Any

from service.engine import bundled
from service.engine.blocks import unwritten
from service.engine.headers.png import SIGNATURE

_FORMATS = {1: 64, 3: 4, 4: 1}
"""SPNG_FMT_G8, SPNG_FMT_RGB8 and SPNG_FMT_RGBA8 of spng.h, by the bytes of a pixel."""

_UNCHECKED = 2
"""SPNG_CRC_USE: no checksum is computed, neither of a chunk nor of the stream."""

_STORED = 0xFFFF
"""Bytes of a stored block at most."""

_ZLIB = b"\x78\x01"
"""The head of a zlib stream (RFC 1950, 2.2)."""

_HEAD = 5
"""Bytes before a stored block: whether it is the last, its length, and the complement of that."""


def _head_of(size: int, *, is_last: bool) -> bytes:
    return bytes([is_last]) + size.to_bytes(2, "little") + (size ^ _STORED).to_bytes(2, "little")


_FULL = _head_of(_STORED, is_last=False)
"""That of every block but the last."""

_SUM = bytes(4)
"""In the place of a checksum."""

_TAIL = b"".join([_SUM, _SUM, bytes(4), b"IEND", _SUM])
"""The sums of the stream and of IDAT, and the end."""


def _load() -> Any:
    loaded = bundled.load_module("_spng")
    if loaded is None:
        return None
    pointer, size, number = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int
    try:
        loaded.spng_ctx_new.argtypes, loaded.spng_ctx_new.restype = (number,), pointer
        loaded.spng_ctx_free.argtypes, loaded.spng_ctx_free.restype = (pointer,), None
        loaded.spng_set_crc_action.argtypes = (pointer, number, number)
        loaded.spng_set_png_buffer.argtypes = (pointer, pointer, size)
        loaded.spng_decode_image.argtypes = (pointer, pointer, size, number, number)
    except AttributeError:  # a build that does not export them
        return None
    return loaded


library = _load()
"""None where the wheel of imagecodecs has none."""


class Rows:
    """Memory for the rows of a PNG of 8 bits a sample, each behind the byte that names its filter: `length` bytes from
    the address `place`, to be filled. What makes a file of them has room around it, so rows are held once."""

    def __init__(self, header: bytes, length: int) -> None:
        """`header` is the content of IHDR; the rows have `length` bytes, 1 or more. Raises MemoryError."""
        blocks = -(-length // _STORED)
        size = len(_ZLIB) + blocks * _HEAD + length + len(_SUM)
        head = [SIGNATURE, len(header).to_bytes(4), b"IHDR", header, _SUM, size.to_bytes(4), b"IDAT", _ZLIB]
        self._head, self._header = b"".join(head), header
        before = len(self._head) + blocks * _HEAD
        self._memory, self._start = unwritten(before + length + len(_TAIL))
        self.place, self.length = self._start + before, length

    def unfilter(self, start: int, depth: int) -> bool:
        """Write the pixels to the address `start`, each in `depth` bytes: 1 is gray, 3 RGB, 4 has alpha behind that.
        Return whether the rows are valid. They are used up. Raises MemoryError."""
        self._complete()
        size = depth * int.from_bytes(self._header[:4]) * int.from_bytes(self._header[4:8])
        context = library.spng_ctx_new(0)
        if not context:
            raise MemoryError
        try:
            library.spng_set_crc_action(context, _UNCHECKED, _UNCHECKED)
            library.spng_set_png_buffer(context, self._start, len(self._memory))
            return not library.spng_decode_image(context, start, size, _FORMATS[depth], 0)
        finally:
            library.spng_ctx_free(context)

    def _complete(self) -> None:
        """Move each block to its place, behind its head, and write what is around them."""
        at, full, rest = self._start + len(self._head), *divmod(self.length - 1, _STORED)
        ctypes.memmove(self._start, self._head, len(self._head))
        for first in range(self.place, self.place + full * _STORED, _STORED):
            ctypes.memmove(at + _HEAD, first, _STORED)
            ctypes.memmove(at, _FULL, _HEAD)
            at += _HEAD + _STORED
        ctypes.memmove(at + _HEAD, self.place + full * _STORED, rest + 1)
        ctypes.memmove(at, _head_of(rest + 1, is_last=True), _HEAD)
        ctypes.memmove(at + _HEAD + rest + 1, _TAIL, len(_TAIL))
