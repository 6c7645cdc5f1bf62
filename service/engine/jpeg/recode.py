"""The coefficients of a JPEG coded anew without loss, so that nothing is left that decoding does not need.

Stray bytes between restarts, tables that are not used, segments of any length, blocks beyond the image, bits behind the
last code: libjpeg-turbo's transform reads the coefficients and writes a file of its own (`jpegtran` is the same code).
12 megapixels take 100 ms as a sequential JPEG, 220 ms as a progressive one, which is up to a sixth smaller.

The standard's Huffman tables have no code for coefficients that samples of 8 bits never give, and libjpeg-turbo 2.1
writes garbage for them. So they are looked at on the way (40 of the 100 ms), and a file that has such becomes
progressive, with tables of its own. Where the tables of the file have no code for such AC coefficients, as in nearly
all files, only its DC coefficients are looked at (2 ms).
"""

from __future__ import annotations

import ctypes
import re
import sys
from collections.abc import Callable
from typing import NamedTuple

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

_BLOCK = 128
"""Bytes of a block's coefficients, of which DC is the first."""

_JFIF_VERSION = b"\x01\x01"

_DHT, _ARITHMETIC = 0xC4, 0xC9
_MOST_BITS = 10
"""Of an AC coefficient for which the standard's tables have codes."""

_SHORTER = b"\xff\xdd\0\4\0\0"
"""A restart interval of 0, which is none, before all tables: `pieces` takes the shorter coding of such a JPEG."""


class _Needed(NamedTuple):
    """What decoding takes of a JPEG: its segments as a file, their markers, the filter that a sequential result needs,
    and the bytes that the result may have."""

    data: bytes
    markers: set[int]
    look: Callable[..., int]
    most: int


def pieces(source: Source, keep_icc: bool) -> Pieces:
    """What a stripped JPEG is made of: see `service.engine.stripping`.

    A sequential JPEG stays one unless its own Huffman tables make it smaller than the standard's: then a progressive
    one is no larger. Raises NotCopied where libjpeg-turbo does not take the kind, or is missing.
    """
    needed = _needed(source)
    sequential = not SEQUENTIAL.isdisjoint(needed.markers)
    made = _smallest(lambda progressive: _recoded(needed, progressive=progressive), needed.most, sequential)
    if not made and turbo.library is not None:
        apart = components.taken_apart(source)
        made = _smallest(
            lambda progressive: components.put_together(apart, recoded, progressive=progressive),
            *(needed.most, sequential),
        )
    if not made:
        raise NotCopied("libjpeg-turbo cannot code this kind of JPEG anew")
    yield with_profile(made, profile_segments(source) if keep_icc else b"")


def sequential(source: Source) -> bytes:
    """What `pieces` gives of an undamaged JPEG that is sequential, in a fifth of the time: with the standard's Huffman
    tables, and with the mark `_SHORTER` where `pieces` would find that its own tables are smaller.

    So the result has the coefficients of the JPEG, and `pieces` gives the same of both. Empty for all others. Raises
    NotCopied where its profile cannot be written.
    """
    needed = _needed(source)
    if SEQUENTIAL.isdisjoint(needed.markers):
        return b""
    made = _recoded(needed, progressive=False, strict=True)
    mark = _SHORTER if len(made) > needed.most else b""
    return with_profile(made, profile_segments(source) + mark) if made else b""


def _needed(source: Source) -> _Needed:
    """Raises Undecodable where there are no pixels."""
    parts, markers, look = [b"\xff\xd8"], set[int](), _DC_FILTER
    has_mark = False
    for segment in segments(source):
        if segment.marker not in _READ:
            continue
        part = source.read(segment.start - 4, segment.data_end - segment.start + 4)
        has_mark |= part == _SHORTER and markers <= {APP0, APP14}
        if segment.marker == _ARITHMETIC or (segment.marker == _DHT and not _has_short_codes(part[4:])):
            look = _FILTER
        parts.append(part)
        markers.add(segment.marker)
    if SOS not in markers:
        raise Undecodable("The JPEG is damaged: there are no pixels in it")
    data = b"".join([*parts, b"\xff\xd9"])
    return _Needed(data, markers, look, 0 if has_mark else len(data))


def _has_short_codes(content: bytes) -> bool:
    """Whether no table for AC in a DHT segment has a code for a number of more bits than the standard's tables."""
    try:
        tables = list(components.huffman(content))
    except (NotCopied, IndexError):
        return False
    return all(symbol & 15 <= _MOST_BITS for number, table in tables if number & 16 for symbol in table.symbols)


def _smallest(code: Callable[[bool], bytes], size: int, sequential: bool) -> bytes:
    """What `code` makes, which takes whether it is to be progressive: what the JPEG is, unless that cannot be or has
    more than `size` bytes."""
    made = code(not sequential) or code(True)
    if made and sequential and len(made) > size:
        made = min(made, code(True) or made, key=len)
    return made


def _recoded(needed: _Needed, *, progressive: bool, strict: bool = False) -> bytes:
    look = None if progressive else needed.look
    return recoded(needed.data, progressive=progressive, strict=strict, look=look)


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


def look_at_dc(coefficients: int, region: turbo.Region, *_: object) -> int:
    """The same of DC alone."""
    try:
        high = ctypes.string_at(coefficients, 2 * region.width * region.height)[_HIGH::_BLOCK]
        return _END if high.translate(None, _HIGH_BYTES) else _GO_ON
    except MemoryError:
        return _END


_FILTER, _DC_FILTER = turbo.Filter(look), turbo.Filter(look_at_dc)
"""Made with this module: they take memory that can be executed, which an engine process may not ask for later."""


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
