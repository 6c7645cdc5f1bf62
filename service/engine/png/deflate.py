"""Deflate by libdeflate, which takes half of the time of zlib-ng for as many bytes, and writes the same bytes on every
processor."""

from __future__ import annotations

import ctypes
import zlib
from functools import lru_cache
from typing import Any

from service.engine import bundled
from service.engine.blocks import unwritten

_ZLIB_LEVEL = 6  # where there is no libdeflate


def _load() -> Any:
    loaded = bundled.load("libdeflate")
    if loaded is None:
        return None
    pointer, size = ctypes.c_void_p, ctypes.c_size_t
    loaded.libdeflate_alloc_compressor.argtypes, loaded.libdeflate_alloc_compressor.restype = (ctypes.c_int,), pointer
    bound, compress = loaded.libdeflate_zlib_compress_bound, loaded.libdeflate_zlib_compress
    bound.argtypes, bound.restype = (pointer, size), size
    compress.argtypes, compress.restype = (pointer, pointer, size, pointer, size), size
    loaded.libdeflate_alloc_decompressor.argtypes, loaded.libdeflate_alloc_decompressor.restype = (), pointer
    decompress = loaded.libdeflate_zlib_decompress_ex
    decompress.argtypes, decompress.restype = (pointer, pointer, size, pointer, size, pointer, pointer), ctypes.c_int
    return loaded


library = _load()
"""None where the wheel of imagecodecs has none; zlib compresses then."""


def version() -> str:
    """What compresses; its version is that of the package that brings it."""
    return "libdeflate" if library else f"zlib {zlib.ZLIB_RUNTIME_VERSION}"


def compressed(data: bytearray, level: int) -> bytes:
    """Return data as a zlib stream (RFC 1950), by libdeflate's level 1 to 12. Raises MemoryError."""
    if library is None:
        return zlib.compress(data, _ZLIB_LEVEL)
    compressor = _compressor(level)
    made, start = unwritten(library.libdeflate_zlib_compress_bound(compressor, len(data)))  # always enough
    return made[: library.libdeflate_zlib_compress(compressor, _address(data), len(data), start, len(made))]


def decompress(data: bytearray, start: int, size: int) -> bool:
    """Fill the `size` bytes from the address `start` with what a zlib stream holds. Return False where the stream is
    damaged, holds more or less, or bytes follow it. `library` must be there. Raises MemoryError."""
    taken = ctypes.c_size_t()
    status = library.libdeflate_zlib_decompress_ex(
        _decompressor(), _address(data), len(data), start, size, ctypes.byref(taken), None
    )
    return status == 0 and taken.value == len(data)


def _address(data: bytearray) -> ctypes.Array[ctypes.c_char]:
    return (ctypes.c_char * len(data)).from_buffer(data)


@lru_cache
def _compressor(level: int) -> int:
    """Memory to work in, below 1 MB, which is held for the next image."""
    address: int | None = library.libdeflate_alloc_compressor(level)
    if not address:
        raise MemoryError
    return address


@lru_cache
def _decompressor() -> int:
    address: int | None = library.libdeflate_alloc_decompressor()
    if not address:
        raise MemoryError
    return address
