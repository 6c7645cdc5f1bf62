"""libtiff, whose decoders and conversions the other libraries use in part only: its types, and a file opened in it.

It is the one that ImageMagick's coder links to, and is loaded with this module, before an engine process is shut off
from the file system.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
from collections.abc import Iterator
from pathlib import Path

_NAMES = ("libtiff.so.6", "libtiff.so.5")
"""The functions below are the same in both."""


def _load() -> ctypes.CDLL | None:
    for name in _NAMES:
        try:
            loaded = ctypes.CDLL(name)
        except OSError:
            continue
        pointer, number, size = ctypes.c_void_p, ctypes.c_uint32, ctypes.c_ssize_t
        loaded.TIFFFdOpen.argtypes, loaded.TIFFFdOpen.restype = (
            (ctypes.c_int, ctypes.c_char_p, ctypes.c_char_p),
            pointer,
        )
        loaded.TIFFClose.argtypes, loaded.TIFFClose.restype = (pointer,), None
        loaded.TIFFSetSubDirectory.argtypes = (pointer, ctypes.c_uint64)
        loaded.TIFFSetField.argtypes = (pointer, number, ctypes.c_int)
        loaded.TIFFIsTiled.argtypes = (pointer,)
        loaded.TIFFIsCODECConfigured.argtypes = (ctypes.c_uint16,)
        for measure in (loaded.TIFFStripSize, loaded.TIFFTileSize):
            measure.argtypes, measure.restype = (pointer,), size
        for read in (loaded.TIFFReadEncodedStrip, loaded.TIFFReadEncodedTile):
            read.argtypes, read.restype = (pointer, number, pointer, size), size
        loaded.TIFFReadRGBAImageOriented.argtypes = (pointer, number, number, pointer, ctypes.c_int, ctypes.c_int)
        loaded.TIFFGetVersion.restype = ctypes.c_char_p
        for handler in (loaded.TIFFSetErrorHandler, loaded.TIFFSetWarningHandler):
            handler.argtypes, handler.restype = (pointer,), pointer
        return loaded
    return None


library = _load()
"""None where it is missing."""


@contextlib.contextmanager
def opened(file: Path | int, offset: int) -> Iterator[int]:
    """The directory at `offset` of the file at a path, or of an open one, as long as this holds. Raises OSError.

    The messages of libtiff go nowhere meanwhile; ImageMagick's coder has handlers of its own for them, which stay.
    """
    assert library is not None
    handlers = library.TIFFSetErrorHandler(None), library.TIFFSetWarningHandler(None)
    descriptor = os.dup(file) if isinstance(file, int) else os.open(file, os.O_RDONLY | os.O_CLOEXEC)
    try:
        handle = library.TIFFFdOpen(
            descriptor, b"image", b"rmc"
        )  # no map, which would fail with the file; strips as they are
        if not handle:
            os.close(descriptor)
            raise OSError("libtiff does not open the file")
        try:
            if not library.TIFFSetSubDirectory(handle, offset):
                raise OSError("libtiff does not find the directory")
            yield handle
        finally:
            library.TIFFClose(handle)  # the descriptor, too
    finally:
        library.TIFFSetErrorHandler(handlers[0])
        library.TIFFSetWarningHandler(handlers[1])


def version() -> str:
    """Its name with its version; `no libtiff` where it is missing."""
    if library is None:
        return "no libtiff"
    name, _, number = library.TIFFGetVersion().decode().splitlines()[0].rpartition(" ")
    return f"{name.split(',')[0]} {number}"
