"""Build short ICC profiles (ICC.1:2022, version 4) from primaries and a transfer function."""

from __future__ import annotations

import struct
from functools import lru_cache

from service.engine.colorimetry import D50, P3, SRGB, Curve, Matrix, Statement, adapted, product, to_xyz

_WHITE = (0.9642, 1.0, 0.8249)
"""D50 as the standard rounds it (7.2.16)."""


@lru_cache(maxsize=32)
def built(statement: Statement, *, gray: bool = False) -> bytes:
    """Return the display profile of a statement, for RGB or for gray. The same statement gives the same bytes.

    Raises ValueError for a transfer function of high dynamic range, which no such profile expresses, and for primaries
    that no profile holds.
    """
    if not isinstance(statement.transfer, Curve):
        raise ValueError("a profile of matrix and curves holds no high dynamic range")
    curve = _curve(statement.transfer, statement.offset, statement.scale)
    tags = {"desc": _text("gray" if gray else "RGB"), "cprt": _text("CC0"), "wtpt": _xyz(*_WHITE)}
    if gray:
        return _profile(b"GRAY", {**tags, "kTRC": curve})
    primaries = statement.primaries
    chad = adapted(primaries.white, D50)
    red, green, blue = zip(*product(chad, to_xyz(primaries)), strict=True)
    tags |= {"chad": _numbers(chad), "rXYZ": _xyz(*red), "gXYZ": _xyz(*green), "bXYZ": _xyz(*blue)}
    return _profile(b"RGB ", {**tags, "rTRC": curve, "gTRC": curve, "bTRC": curve})


def display_p3() -> bytes:
    """Return the profile of Display P3: the primaries of SMPTE EG 432-1 with D65 and the curve of sRGB."""
    return built(Statement(P3, SRGB))


def _profile(space: bytes, tags: dict[str, bytes]) -> bytes:
    """The profile with these tags. Tags of equal content share one element (7.3.1)."""
    start, body, table = 128 + 4 + 12 * len(tags), b"", b""
    places: dict[bytes, int] = {}
    for name, content in tags.items():
        if content not in places:
            places[content] = start + len(body)
            body += content + bytes(-len(content) % 4)
        table += struct.pack(">4sII", name.encode(), places[content], len(content))
    header = struct.pack(">I4xI4s4s4s", start + len(body), 0x04300000, b"mntr", space, b"XYZ ")
    header += struct.pack(">6H4s28x", 2000, 1, 1, 0, 0, 0, b"acsp") + _fixed(*_WHITE)
    return header.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body


def _curve(curve: Curve, offset: float, scale: float) -> bytes:
    """10.18: pure gamma as type 0, else type 4, which is type 3 where nothing is added to the linear part."""
    if not curve.c and not offset and scale == 1 and (curve.a, curve.b) == (1, 0):
        return struct.pack(">4s4xHxx", b"para", 0) + _fixed(curve.gamma)
    a, c = curve.a * scale, curve.c * scale
    segments = (curve.gamma, a, curve.b - a * offset, c, curve.d / scale + offset)
    if not offset:
        return struct.pack(">4s4xHxx", b"para", 3) + _fixed(*segments)
    return struct.pack(">4s4xHxx", b"para", 4) + _fixed(*segments, 0.0, -c * offset)


def _text(text: str) -> bytes:
    encoded = text.encode("utf-16-be")
    return struct.pack(">4s4xII2s2sII", b"mluc", 1, 12, b"en", b"US", len(encoded), 28) + encoded


def _xyz(x: float, y: float, z: float) -> bytes:
    return b"XYZ \0\0\0\0" + _fixed(x, y, z)


def _numbers(matrix: Matrix) -> bytes:
    return b"sf32\0\0\0\0" + _fixed(*(value for row in matrix for value in row))


def _fixed(*values: float) -> bytes:
    """An s15Fixed16Number. Raises ValueError for a number out of its range."""
    try:
        return struct.pack(f">{len(values)}i", *(round(value * 65536) for value in values))
    except struct.error as error:
        raise ValueError("the colour is beyond what a profile holds") from error
