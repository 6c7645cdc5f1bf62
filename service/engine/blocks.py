"""Memory of Python that other libraries write in place: Pillow images, by the Arrow C data interface that Pillow
exports, and bytes.

https://arrow.apache.org/docs/format/CDataInterface.html
"""

from __future__ import annotations

import ctypes
from typing import Any

from PIL import Image as Pillow

from service.engine.pillow_private import new_core, wrapped


class _Array(ctypes.Structure):
    """struct ArrowArray."""


_Array._fields_ = [
    *((name, ctypes.c_int64) for name in ("length", "null_count", "offset", "n_buffers", "n_children")),
    ("buffers", ctypes.POINTER(ctypes.c_void_p)),
    ("children", ctypes.POINTER(ctypes.POINTER(_Array))),
    *((name, ctypes.c_void_p) for name in ("dictionary", "release", "private_data")),
]

_pointer = ctypes.pythonapi.PyCapsule_GetPointer
_pointer.restype, _pointer.argtypes = ctypes.c_void_p, (ctypes.py_object, ctypes.c_char_p)


_new_bytes, _bytes_start = ctypes.pythonapi.PyBytes_FromStringAndSize, ctypes.pythonapi.PyBytes_AsString
_new_bytes.restype, _new_bytes.argtypes = ctypes.py_object, (ctypes.c_void_p, ctypes.c_ssize_t)
_bytes_start.restype, _bytes_start.argtypes = ctypes.c_void_p, (ctypes.py_object,)


def unwritten(size: int) -> tuple[bytes, int]:
    """Two or more bytes of any content, to be written before anything reads them, and the address of the first, valid
    as long as they exist. Raises MemoryError."""
    made: bytes = _new_bytes(None, size)
    return made, _bytes_start(made)


def block(mode: str, size: tuple[int, int]) -> tuple[Pillow.Image, int]:
    """A black image in one piece of memory, and the address of its first pixel, valid as long as the image exists.

    Rows follow each other without gaps; a pixel is one byte in L, four in RGB and CMYK. Raises MemoryError.
    """
    core = new_core(mode, size)
    return wrapped(core), _start(core)


def address(image: Pillow.Image) -> int:
    """Return the address of the first pixel of an image, which becomes one piece of memory if it is not. Raises
    MemoryError."""
    image.load()
    try:
        return _start(image.im)
    except ValueError:  # large images are in pieces
        core = new_core(image.mode, image.size)
        core.paste(image.im, (0, 0, *image.size))
        image.im = core
        return _start(core)


def _start(core: Any) -> int:
    capsule = core.__arrow_c_array__()
    array = _Array.from_address(_pointer(capsule, b"arrow_array"))
    while array.n_children:  # pixels of four bytes are lists of four
        array = array.children[0].contents
    start: int = array.buffers[1]
    return start
