"""A JPEG turned upright without decoding it: its blocks of coefficients change places, and no sample is rounded again.

libjpeg-turbo's own library does the work (`jpegtran` is made of the same code). Where it is missing nothing is turned
here, and the caller encodes once more.
"""

from __future__ import annotations

import ctypes
from pathlib import Path

from service.engine.headers.jpeg import APP0, APP14
from service.engine.headers.source import OpenedFile
from service.engine.job import Header
from service.engine.jpeg import turbo
from service.engine.stripping.jpeg import profile_segments

_OPERATIONS = {2: 1, 3: 6, 4: 2, 5: 3, 6: 5, 7: 4, 8: 7}
"""By EXIF's orientation, what shows the image upright: TJXOP_HFLIP is 1, then come VFLIP, TRANSPOSE, TRANSVERSE, ROT90
(which is clockwise), ROT180, ROT270."""

_PERFECT, _PROGRESSIVE, _COPY_NONE = 1, 32, 64  # TJXOPT_*
_STOP_ON_WARNING, _LIMIT_SCANS = 8192, 32768  # TJFLAG_*


def turned(path: Path, header: Header) -> bytes | None:
    """The JPEG in `path`, stored as `header.orientation` (2..8) shows it, without metadata but for an ICC profile that
    is not sRGB's; progressive, with the coefficients it had.

    None where that cannot be: a side that would come first does not end with a whole block, the data are damaged, they
    do not fit into memory, or the library is missing. Raises Undecodable where the structure is broken, OSError where
    `path` cannot be read.
    """
    if turbo.library is None:
        return None
    data = _transformed(turbo.library, path.read_bytes(), _OPERATIONS[header.orientation])
    if data is None:
        return None
    with OpenedFile(path) as source:
        profile = profile_segments(source)
    at = _behind_application_data(data)
    return data[:at] + profile + data[at:]


def _transformed(library: ctypes.CDLL, data: bytes, operation: int) -> bytes | None:
    output, size = ctypes.c_void_p(), ctypes.c_ulong()
    what = turbo.Transform(operation=operation, options=_PERFECT | _PROGRESSIVE | _COPY_NONE)
    with turbo.handle(library.tjInitTransform) as handle:
        try:
            failed = library.tjTransform(
                *(handle, data, len(data), 1, ctypes.byref(output), ctypes.byref(size), ctypes.byref(what)),
                _STOP_ON_WARNING | _LIMIT_SCANS,
            )
            return None if failed or not output else ctypes.string_at(output, size.value)
        finally:
            library.tjFree(output)


def _behind_application_data(data: bytes) -> int:
    """Where in libjpeg's output the segments of JFIF and Adobe end, which stand first."""
    at = 2
    while data[at + 1] in (APP0, APP14):
        at += 2 + int.from_bytes(data[at + 2 : at + 4])
    return at
