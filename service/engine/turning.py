"""A JPEG turned upright without decoding it: its blocks of coefficients change places, and no sample is rounded again.

libjpeg-turbo's own library does the work (`jpegtran` is made of the same code). It is loaded with this module, before
an engine process is shut off from the file system. Where it is missing nothing is turned here, and the caller encodes
once more.
"""

from __future__ import annotations

import contextlib
import ctypes
from collections.abc import Iterator
from pathlib import Path

from service.engine.headers.jpeg import APP0, APP14
from service.engine.headers.source import OpenedFile
from service.engine.job import Header
from service.engine.stripping.jpeg import profile_segments

_LIBRARY = "libturbojpeg.so.0"  # its interface has been the same from version 1.2 to 3

_OPERATIONS = {2: 1, 3: 6, 4: 2, 5: 3, 6: 5, 7: 4, 8: 7}
"""By EXIF's orientation, what shows the image upright: TJXOP_HFLIP is 1, then come VFLIP, TRANSPOSE, TRANSVERSE, ROT90
(which is clockwise), ROT180, ROT270."""

_PERFECT, _PROGRESSIVE, _COPY_NONE = 1, 32, 64  # TJXOPT_*
_STOP_ON_WARNING, _LIMIT_SCANS = 8192, 32768  # TJFLAG_*


class _Transform(ctypes.Structure):
    """tjtransform: a region to crop, which is not used, and what is to be done."""

    _fields_ = (
        ("region", ctypes.c_int * 4),
        ("operation", ctypes.c_int),
        ("options", ctypes.c_int),
        ("data", ctypes.c_void_p),
        ("filter", ctypes.c_void_p),
    )


def turned(path: Path, header: Header) -> bytes | None:
    """The JPEG in `path`, stored as `header.orientation` (2..8) shows it, without metadata but for an ICC profile that
    is not sRGB's; progressive, with the coefficients it had.

    None where that cannot be: a side that would come first does not end with a whole block, the data are damaged, they
    do not fit into memory, or the library is missing. Raises Undecodable where the structure is broken, OSError where
    `path` cannot be read.
    """
    if _turbo is None:
        return None
    data = _transformed(_turbo, path.read_bytes(), _OPERATIONS[header.orientation])
    if data is None:
        return None
    with OpenedFile(path) as source:
        profile = profile_segments(source)
    at = _behind_application_data(data)
    return data[:at] + profile + data[at:]


def available() -> bool:
    """Whether the library is here."""
    return _turbo is not None


def version() -> str:
    """The file name of the library, which ends with its version; `no libturbojpeg` where it is missing."""
    if _turbo is not None:
        for line in Path("/proc/self/maps").read_text().splitlines():
            if "/libturbojpeg" in line:
                return Path(line.split(maxsplit=5)[-1]).resolve().name
    return "no libturbojpeg"


def _load() -> ctypes.CDLL | None:
    try:
        turbo = ctypes.CDLL(_LIBRARY)
    except OSError:
        return None
    pointer, number, size = ctypes.c_void_p, ctypes.c_int, ctypes.c_ulong
    turbo.tjInitTransform.restype = pointer
    turbo.tjDestroy.argtypes = turbo.tjFree.argtypes = (pointer,)
    turbo.tjTransform.argtypes = (
        *(pointer, ctypes.c_char_p, size, number),
        *(ctypes.POINTER(pointer), ctypes.POINTER(size), ctypes.POINTER(_Transform), number),
    )
    return turbo


_turbo = _load()


def _transformed(turbo: ctypes.CDLL, data: bytes, operation: int) -> bytes | None:
    output, size = ctypes.c_void_p(), ctypes.c_ulong()
    what = _Transform(operation=operation, options=_PERFECT | _PROGRESSIVE | _COPY_NONE)
    with _handle(turbo) as handle:
        try:
            failed = turbo.tjTransform(
                *(handle, data, len(data), 1, ctypes.byref(output), ctypes.byref(size), ctypes.byref(what)),
                _STOP_ON_WARNING | _LIMIT_SCANS,
            )
            return None if failed or not output else ctypes.string_at(output, size.value)
        finally:
            turbo.tjFree(output)


@contextlib.contextmanager
def _handle(turbo: ctypes.CDLL) -> Iterator[ctypes.c_void_p]:
    handle = turbo.tjInitTransform()
    if not handle:
        raise MemoryError
    try:
        yield handle
    finally:
        turbo.tjDestroy(handle)


def _behind_application_data(data: bytes) -> int:
    """Where in libjpeg's output the segments of JFIF and Adobe end, which stand first."""
    at = 2
    while data[at + 1] in (APP0, APP14):
        at += 2 + int.from_bytes(data[at + 2 : at + 4])
    return at
