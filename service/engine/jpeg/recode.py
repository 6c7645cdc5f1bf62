"""The coefficients of a JPEG coded anew without loss, so that nothing is left that decoding does not need.

Stray bytes between restarts, tables that are not used, segments of any length, blocks beyond the image, bits behind the
last code: libjpeg-turbo's transform reads the coefficients and writes a file of its own (`jpegtran` is the same code).
12 megapixels take 100 ms as a sequential JPEG, 220 ms as a progressive one, which is up to a sixth smaller.

The standard's Huffman tables have no code for coefficients that samples of 8 bits never give, and libjpeg-turbo 2.1
writes garbage for them. So they are looked at on the way (40 of the 100 ms), and a file that has such becomes
progressive, with tables of its own.
"""

from __future__ import annotations

import ctypes
import re
import sys
from collections.abc import Callable

from service.engine.headers.jpeg import APP0, APP14, SEQUENTIAL, SOS, segments
from service.engine.headers.source import Source
from service.engine.job import Undecodable
from service.engine.jpeg import components, turbo
from service.engine.stripping import NotCopied, Pieces
from service.engine.stripping.jpeg import KEPT, profile_segments

PERFECT, _PROGRESSIVE, _COPY_NONE = 1, 32, 64  # TJXOPT_*
_STOP_ON_WARNING, _LIMIT_SCANS = 8192, 32768  # TJFLAG_*
_READ = {*KEPT, APP0, APP14}
"""What libjpeg reads of a JPEG: the last two tell the colour space."""

_GO_ON, _END = 0, -1  # what a filter returns
_REFUSED = b"custom filter"  # in what the library says then
_HIGH_BYTES = b"\x00\x01\x02\x03\xfc\xfd\xfe\xff"  # of numbers of 16 bits from -1024 to 1023
_LOWEST_BYTE = b"\xfc"
_LOWEST = re.compile(_LOWEST_BYTE)
_HIGH = 1 if sys.byteorder == "little" else 0
"""Where the high byte of a number stands."""

_JFIF_VERSION = b"\x01\x01"


def pieces(source: Source, keep_icc: bool) -> Pieces:
    """What a stripped JPEG is made of: see `service.engine.stripping`.

    A sequential JPEG stays one unless its own Huffman tables make it smaller than the standard's: then a progressive
    one is no larger. Raises NotCopied where libjpeg-turbo does not take the kind, or is missing.
    """
    data, markers = _needed(source)
    sequential = not SEQUENTIAL.isdisjoint(markers)
    made = _smallest(lambda progressive: recoded(data, progressive=progressive), len(data), sequential)
    if not made and turbo.library is not None:
        apart = components.taken_apart(source)
        made = _smallest(
            lambda progressive: components.put_together(apart, recoded, progressive=progressive), len(data), sequential
        )
    if not made:
        raise NotCopied("libjpeg-turbo cannot code this kind of JPEG anew")
    yield with_profile(made, profile_segments(source) if keep_icc else b"")


def plain(source: Source) -> bytes:
    """What `pieces` gives of an undamaged JPEG that is sequential and has the standard's tables, as cameras write them,
    in a third of the time. Empty for all others."""
    data, markers = _needed(source)
    made = b"" if SEQUENTIAL.isdisjoint(markers) else recoded(data, progressive=False, strict=True)
    return with_profile(made, profile_segments(source)) if made and len(made) <= len(data) else b""


def _needed(source: Source) -> tuple[bytes, set[int]]:
    """The segments that decoding takes, as a JPEG, and their markers."""
    parts, markers = [b"\xff\xd8"], set[int]()
    for segment in segments(source):
        if segment.marker in _READ:
            parts.append(source.read(segment.start - 4, segment.data_end - segment.start + 4))
            markers.add(segment.marker)
    if SOS not in markers:
        raise Undecodable("The JPEG is damaged: there are no pixels in it")
    return b"".join([*parts, b"\xff\xd9"]), markers


def _smallest(code: Callable[[bool], bytes], size: int, sequential: bool) -> bytes:
    """What `code` makes, which takes whether it is to be progressive: what the JPEG is, unless that cannot be or has
    more than `size` bytes."""
    made = code(not sequential) or code(True)
    if made and sequential and len(made) > size:
        made = min(made, code(True) or made, key=len)
    return made


def recoded(
    data: bytes,
    operation: int = 0,
    options: int = 0,
    *,
    progressive: bool,
    strict: bool = False,
    look: Callable[..., int] | None = None,
) -> bytes:
    """The JPEG in `data`, transformed by TJXOP_* and TJXOPT_*, without metadata. `strict` refuses damaged data.

    `look` is a `turbo.Filter` that sees each row of blocks, and may change it, in place of the function `look`.

    Empty where that cannot be: the kind is not taken, the options do not allow it, there is no memory for the
    coefficients, they cannot be said by a sequential JPEG, or the library is missing.
    """
    library = turbo.library
    if library is None:
        return b""
    output, size = ctypes.c_void_p(), ctypes.c_ulong()
    options |= _COPY_NONE | (_PROGRESSIVE if progressive else 0)
    what = turbo.Transform(operation=operation, options=options)
    if look is not None or not progressive:
        what.filter = look or _FILTER
    with turbo.handle(library.tjInitTransform) as handle:
        try:
            failed = library.tjTransform(
                *(handle, data, len(data), 1, ctypes.byref(output), ctypes.byref(size), ctypes.byref(what)),
                _LIMIT_SCANS | (_STOP_ON_WARNING if strict else 0),
            )
            made = ctypes.string_at(output, size.value) if output else b""
            if failed and (_REFUSED in library.tjGetErrorStr2(handle) or not _is_whole(made)):
                return b""
            return made
        finally:
            library.tjFree(output)


def look(coefficients: int, region: turbo.Region, *_: object) -> int:
    """_GO_ON if the standard's tables (ITU-T T.81, K.3) have codes for a row of blocks: AC from -1023 to 1023, and DC
    from -1024 to 1023, so that no difference is over 2047."""
    try:
        data = ctypes.string_at(coefficients, 2 * region.width * region.height)
        high = data[_HIGH::2]
        if high.translate(None, _HIGH_BYTES):
            return _END
        if _LOWEST_BYTE not in high:
            return _GO_ON
        low = data[1 - _HIGH :: 2]
        lowest = any(match.start() % 64 and not low[match.start()] for match in _LOWEST.finditer(high))
        return _END if lowest else _GO_ON
    except MemoryError:
        return _END


_FILTER = turbo.Filter(look)
"""Made with this module: it takes memory that can be executed, which an engine process may not ask for later."""


def with_profile(data: bytes, profile: bytes) -> bytes:
    """What libjpeg wrote, with the segments of a profile behind those of JFIF and Adobe, which stand first."""
    at = 2
    while data[at + 1] in (APP0, APP14):
        at += 2 + int.from_bytes(data[at + 2 : at + 4])
    if data[6:11] == b"JFIF\0":
        data = data[:11] + _JFIF_VERSION + data[13:]
    return data[:at] + profile + data[at:]


def _is_whole(data: bytes) -> bool:
    """Whether libjpeg had no more than a warning: what it had written was given out to its end."""
    return data.startswith(b"\xff\xd8") and data.endswith(b"\xff\xd9")
