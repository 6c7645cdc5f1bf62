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
from collections.abc import Callable, Sequence
from typing import NamedTuple, cast

from service.engine.headers.jpeg import APP0, APP14, SEQUENTIAL, SOS
from service.engine.headers.source import Source
from service.engine.job import Undecodable
from service.engine.jpeg import components, turbo
from service.engine.jpeg.parts import DHT, Part, joined, one_unit, parts
from service.engine.jxl.held import Held
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

_Row = ctypes.c_char * (_BLOCK * 0x2000)
"""The longest row of blocks. Its slices take no more bytes than they hold, so it may stand at a shorter row, too."""

_JFIF_VERSION = b"\x01\x01"

_ARITHMETIC = 0xC9
_MOST_BITS = 10
"""Of an AC coefficient for which the standard's tables have codes."""

_SHORTER = b"\xff\xdd\0\4\0\0"
"""A restart interval of 0, which is none, before all tables: `pieces` takes the shorter coding of such a JPEG."""


class Needed(NamedTuple):
    """What decoding takes of a JPEG: its segments, and these as a file; the filter that a sequential result needs, the
    JPEG of one unit with the headers of such a result (`parts.one_unit`), and the bytes that it may have."""

    parts: Sequence[Part]
    data: bytes
    look: Callable[..., int]
    unit: bytes
    most: int

    @property
    def has_short_codes(self) -> bool:
        """Whether no table for AC has a code for what the standard's tables have none for."""
        return self.look is _DC_FILTER

    @property
    def is_sequential(self) -> bool:
        return any(part.marker in SEQUENTIAL for part in self.parts)


def pieces(source: Source, keep_icc: bool) -> Pieces:
    """What a stripped JPEG is made of: see `service.engine.stripping`.

    A sequential JPEG stays one unless it has Huffman tables of its own, or is smaller with its own headers: then a
    progressive one is no larger. Raises NotCopied where libjpeg-turbo does not take the kind, or is missing.
    """
    found = needed(source)
    sequential = found.is_sequential
    made = _smallest(lambda progressive: _recoded(found, progressive=progressive), found.most, sequential)
    if not made and turbo.library is not None:
        apart = components.taken_apart(source)
        made = _smallest(
            lambda progressive: components.put_together(apart, recoded, progressive=progressive),
            *(found.most, sequential),
        )
    if not made:
        raise NotCopied("libjpeg-turbo cannot code this kind of JPEG anew")
    yield with_profile(made, profile_segments(source) if keep_icc else b"")


def sequential(source: Source) -> bytes:
    """What `pieces` gives of an undamaged JPEG that is sequential, in a fifth of the time: with the standard's Huffman
    tables, and with the mark `_SHORTER` where `pieces` would look for a smaller one.

    So the result has the coefficients of the JPEG, and `pieces` gives the same of both. Empty for all others. Raises
    NotCopied where its profile cannot be written.
    """
    found = needed(source)
    if not found.is_sequential:
        return b""
    made = _recoded(found, progressive=False, strict=True)
    return with_profile(made, between(source, is_marked=len(made) > found.most)) if made else b""


def between(source: Source, *, is_marked: bool) -> bytes:
    """What stands between the first segments and the tables: the profile, and the mark `_SHORTER`. Raises NotCopied."""
    return profile_segments(source) + (_SHORTER if is_marked else b"")


def needed(source: Source) -> Needed:
    """Raises Undecodable where there are no pixels."""
    found, look = list(parts(source, _READ)), _DC_FILTER
    markers = [part.marker for part in found]
    if SOS not in markers:
        raise Undecodable("The JPEG is damaged: there are no pixels in it")
    if _ARITHMETIC in markers or not all(_has_short_codes(part.head[4:]) for part in found if part.marker == DHT):
        look = _FILTER
    data, unit = joined(found), one_unit(found, recoded)
    return Needed(found, data, look, unit, 0 if _is_shorter(found, unit) else len(data))


def _is_shorter(found: Sequence[Part], unit: bytes) -> bool:
    """Whether a sequential JPEG most likely is smaller than its copy: it has Huffman tables of its own, or takes them
    for other components, it has shorter headers than the copy, or the mark `_SHORTER`."""
    before = [part.head for part in found if part.marker not in (APP0, APP14)]
    if before[0] == _SHORTER:
        return True
    if not unit:
        return False
    copied = list(parts(Held(unit), range(0xC0, 0xFF)))
    tables, others = (sorted(part.head for part in each if part.marker == DHT) for each in (found, copied))
    chosen, usual = (_chosen_tables(each) for each in (found, copied))
    size, other = (sum(len(part.head) for part in each) for each in (found, copied))
    return tables != others or chosen != usual or size < other


def _chosen_tables(found: Sequence[Part]) -> bytes:
    """What the first scan says of Huffman tables, a byte for each of its components (ITU-T T.81, B.2.3)."""
    return next((part.head[6:-3:2] for part in found if part.marker == SOS), b"")


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


def _recoded(found: Needed, *, progressive: bool, strict: bool = False) -> bytes:
    look = None if progressive else found.look
    return recoded(found.data, progressive=progressive, strict=strict, look=look)


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
        high = cast(bytes, _Row.from_address(coefficients)[_HIGH : 2 * region.width * region.height : _BLOCK])
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
