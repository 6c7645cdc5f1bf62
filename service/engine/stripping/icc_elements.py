"""The elements of a profile's tags, each parsed and written again without a byte that its type does not define.

The types are those of ICC.1:2022, clause 10, that colour needs. Parts that stand anywhere in an element are put one
after the other, in the order of the standard.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable

_PARAMETERS = (1, 3, 4, 5, 7)  # of a parametric curve, by its kind
_FORMULAS = {0: 4, 1: 5, 2: 5}  # parameters of a formula segment, by its kind (table 64)
MAX_CHANNELS = 15
MAX_ENTRIES = 8_000_000  # values of one table


class Malformed(ValueError):
    """An element is not what its type says."""


def element(tag: bytes, content: bytes) -> bytes:
    """Return the element of a tag, written again. Raises Malformed, and struct.error where it is too short."""
    kind = content[:4]
    write = _types(tag).get(kind)
    if write is None:
        raise Malformed
    return kind + bytes(4) + write(content)


def _types(tag: bytes) -> dict[bytes, Callable[[bytes], bytes]]:
    """What writes the elements that a tag may have, by their type."""
    if tag[:3] == b"A2B":
        return {b"mft1": _table8, b"mft2": _table16, b"mAB ": _lut_to_connection}
    if tag[:3] == b"B2A":
        return {b"mft1": _table8, b"mft2": _table16, b"mBA ": _lut_to_device}
    if tag[:3] in (b"D2B", b"B2D"):
        return {b"mpet": _processes}
    return _TYPES[tag]


def _part(content: bytes, start: int, size: int) -> bytes:
    part = content[start : start + size]
    if len(part) != size:
        raise Malformed
    return part


def _sampled(content: bytes) -> bytes:
    (count,) = struct.unpack_from(">I", content, 8)
    return content[8:12] + _part(content, 12, 2 * count)


def _parametric(content: bytes) -> bytes:
    (kind,) = struct.unpack_from(">H", content, 8)
    if kind >= len(_PARAMETERS):
        raise Malformed
    return content[8:10] + b"\0\0" + _part(content, 12, 4 * _PARAMETERS[kind])


def _table8(content: bytes) -> bytes:
    channels, corners = _channels(content), content[10]
    entries = 256 * (channels[0] + channels[1]) + _entries([corners] * channels[0], channels[1])
    return content[8:11] + b"\0" + _part(content, 12, 36 + entries)


def _table16(content: bytes) -> bytes:
    channels, corners = _channels(content), content[10]
    before, after = struct.unpack_from(">HH", content, 48)
    entries = before * channels[0] + _entries([corners] * channels[0], channels[1]) + after * channels[1]
    return content[8:11] + b"\0" + _part(content, 12, 36 + 4 + 2 * entries)


def _channels(content: bytes) -> tuple[int, int]:
    given, got = content[8:10] if len(content) >= 12 else (0, 0)
    if not (1 <= given <= MAX_CHANNELS and 1 <= got <= MAX_CHANNELS):
        raise Malformed
    return given, got


def _entries(grid: list[int], outputs: int) -> int:
    entries = math.prod(grid) * outputs
    if entries > MAX_ENTRIES:
        raise Malformed
    return entries


def _lut_to_connection(content: bytes) -> bytes:
    given, got = _channels(content)
    return _lut(content, connection=got, device=given)


def _lut_to_device(content: bytes) -> bytes:
    given, got = _channels(content)
    return _lut(content, connection=given, device=got)


def _lut(content: bytes, *, connection: int, device: int) -> bytes:
    """lutAToBType and lutBToAType: the same parts, which the second applies in the opposite order."""
    given, got = _channels(content)
    b, matrix, m, table, a = struct.unpack_from(">5I", content, 12)
    parts = (
        _curves(content, b, connection) if b else b"",
        _part(content, matrix, 48) if matrix else b"",
        _curves(content, m, connection) if m else b"",
        _grid(content, table, given, got) if table else b"",
        _curves(content, a, device) if a else b"",
    )
    places, start = list[int](), 32
    for part in parts:
        places.append(start if part else 0)
        start += len(part)
    return bytes((given, got, 0, 0)) + struct.pack(">5I", *places) + b"".join(parts)


def _curves(content: bytes, start: int, count: int) -> bytes:
    written = b""
    for _ in range(count):
        kind = content[start : start + 4]
        if kind == b"curv":
            curve = _sampled(content[start:])
        elif kind == b"para":
            curve = _parametric(content[start:])
        else:
            raise Malformed
        curve = kind + bytes(4) + curve
        curve += bytes(-len(curve) % 4)
        written += curve
        start += len(curve)
    return written


def _grid(content: bytes, start: int, given: int, got: int) -> bytes:
    """The table of a lutAToBType: points a side, bytes a value, values."""
    points, (width,) = content[start : start + given], struct.unpack_from(">B", content, start + 16)
    if width not in (1, 2):
        raise Malformed
    values = _part(content, start + 20, width * _entries(list(points), got))
    return points.ljust(16, b"\0") + bytes((width, 0, 0, 0)) + values + bytes(-len(values) % 4)


def _processes(content: bytes) -> bytes:
    """multiProcessElementsType: its elements one after the other (ICC.1:2022, 10.17)."""
    given, got, count = struct.unpack_from(">HHI", content, 8)
    if not 1 <= count <= 64:
        raise Malformed
    return struct.pack(">HHI", given, got, count) + _placed(content, 16, count, _process)


def _process(content: bytes) -> bytes:
    kind = content[:4]
    given, got = struct.unpack_from(">HH", content, 8)
    start = kind + bytes(4) + struct.pack(">HH", given, got)
    if kind == b"cvst":
        return start + _curve_set(content, given)
    if kind == b"matf":
        return start + _part(content, 12, 4 * (given * got + got))
    if kind == b"clut" and given <= 16:
        points = content[12 : 12 + given]
        return start + points.ljust(16, b"\0") + _part(content, 28, 4 * _entries(list(points), got))
    if kind in (b"bACS", b"eACS"):
        return start + _part(content, 12, 4)
    raise Malformed


def _curve_set(content: bytes, count: int) -> bytes:
    if count > MAX_CHANNELS:
        raise Malformed
    return _placed(content, 12, count, _segmented)


def _placed(content: bytes, at: int, count: int, write: Callable[[bytes], bytes]) -> bytes:
    """A table of positions that begins `at`, and behind it the parts that they name, each written anew by `write`."""
    places, body, start = b"", b"", at + 8 * count
    for number in range(count):
        offset, size = struct.unpack_from(">II", content, at + 8 * number)
        part = write(_part(content, offset, size))
        places += struct.pack(">II", start + len(body), len(part))
        body += part + bytes(-len(part) % 4)
    return places + body


def _segmented(content: bytes) -> bytes:
    """segmentedCurveType: break points, then formulas and samples."""
    if content[:4] != b"curf":
        raise Malformed
    (count,) = struct.unpack_from(">H", content, 8)
    if not count:
        raise Malformed
    written = b"curf\0\0\0\0" + content[8:10] + b"\0\0" + _part(content, 12, 4 * (count - 1))
    start = len(written)
    for _ in range(count):
        kind = content[start : start + 4]
        if kind == b"parf":
            (formula,) = struct.unpack_from(">H", content, start + 8)
            if formula not in _FORMULAS:
                raise Malformed
            values = _part(content, start + 12, 4 * _FORMULAS[formula])
            segment = b"parf\0\0\0\0" + struct.pack(">HH", formula, 0) + values
        elif kind == b"samf":
            (samples,) = struct.unpack_from(">I", content, start + 8)
            segment = b"samf\0\0\0\0" + struct.pack(">I", samples) + _part(content, start + 12, 4 * samples)
        else:
            raise Malformed
        written += segment
        start += len(segment)
    return written


_Writers = dict[bytes, Callable[[bytes], bytes]]
_COLOUR: _Writers = {b"XYZ ": lambda content: _part(content, 8, 12)}
_CURVE: _Writers = {b"curv": _sampled, b"para": _parametric}
_TYPES: dict[bytes, _Writers] = {
    **dict.fromkeys((b"rXYZ", b"gXYZ", b"bXYZ", b"wtpt"), _COLOUR),
    **dict.fromkeys((b"rTRC", b"gTRC", b"bTRC", b"kTRC"), _CURVE),
    b"chad": {b"sf32": lambda content: _part(content, 8, 36)},
    b"cicp": {b"cicp": lambda content: _part(content, 8, 4)},
}
