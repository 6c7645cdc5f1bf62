"""libjpeg-turbo's own library, TurboJPEG, which turns a JPEG without decoding it and tells of damage; its types.

It is loaded with this module, before an engine process is shut off from the file system.
"""

from __future__ import annotations

import contextlib
import ctypes
from collections.abc import Callable, Iterator
from pathlib import Path

_NAME = "libturbojpeg.so.0"  # the functions below have been the same from version 1.5 to 3


class Region(ctypes.Structure):
    """tjregion."""

    _fields_ = tuple((name, ctypes.c_int) for name in ("x", "y", "width", "height"))


Filter = ctypes.CFUNCTYPE(
    *(ctypes.c_int, ctypes.c_void_p, Region, Region, ctypes.c_int, ctypes.c_int, ctypes.c_void_p),
)
"""customFilter: called with the coefficients of a row of blocks, 16 bits each, and the region that they are."""


class Transform(ctypes.Structure):
    """tjtransform: a region to crop, which is not used, and what is to be done."""

    _fields_ = (
        ("region", Region),
        ("operation", ctypes.c_int),
        ("options", ctypes.c_int),
        ("data", ctypes.c_void_p),
        ("filter", Filter),
    )


def _load() -> ctypes.CDLL | None:
    try:
        loaded = ctypes.CDLL(_NAME)
    except OSError:
        return None
    pointer, number, size = ctypes.c_void_p, ctypes.c_int, ctypes.c_ulong
    pointers, numbers, sizes = ctypes.POINTER(pointer), ctypes.POINTER(number), ctypes.POINTER(size)
    for initialise in (loaded.tjInitDecompress, loaded.tjInitTransform):
        initialise.restype = pointer
    loaded.tjDestroy.argtypes = loaded.tjFree.argtypes = loaded.tjGetErrorStr2.argtypes = (pointer,)
    loaded.tjGetErrorStr2.restype = ctypes.c_char_p
    loaded.tjDecompress2.argtypes = (
        *(pointer, ctypes.c_char_p, size),
        *(pointer, number, number, number, number, number),
    )
    loaded.tjTransform.argtypes = (
        *(pointer, ctypes.c_char_p, size, number),
        *(pointers, sizes, ctypes.POINTER(Transform), number),
    )
    loaded.tjPlaneWidth.argtypes = loaded.tjPlaneHeight.argtypes = (number, number, number)
    loaded.tjDecompressHeader3.argtypes = (pointer, ctypes.c_char_p, size, numbers, numbers, numbers, numbers)
    loaded.tjDecompressToYUVPlanes.argtypes = (
        *(pointer, ctypes.c_char_p, size),
        *(pointers, number, numbers, number, number),
    )
    return loaded


library = _load()
"""None where it is missing."""


@contextlib.contextmanager
def handle(initialise: Callable[[], int | None]) -> Iterator[int]:
    """What one of the library's `tjInit...` gives, for as long as this holds. Raises MemoryError."""
    assert library is not None
    made = initialise()
    if not made:
        raise MemoryError
    try:
        yield made
    finally:
        library.tjDestroy(made)


def version() -> str:
    """The file name of the library, which ends with its version; `no libturbojpeg` where it is missing."""
    if library is not None:
        for line in Path("/proc/self/maps").read_text().splitlines():
            if "/libturbojpeg" in line:
                return Path(line.split(maxsplit=5)[-1]).resolve().name
    return "no libturbojpeg"
