"""Read the colour chunks of a PNG other than iCCP, by the priority of the third edition (4.3, table 2)."""

from __future__ import annotations

import zlib
from typing import NamedTuple

from service.engine.colorimetry import BT709, SRGB, Curve, Primaries, Statement, by_numbers, to_xyz
from service.engine.headers.png import Chunk, chunks
from service.engine.headers.source import Source
from service.engine.job import Undecodable

_SIZES = {b"cICP": 4, b"sRGB": 1, b"gAMA": 4, b"cHRM": 32}
OUTRANKED = frozenset((b"sRGB", b"gAMA", b"cHRM"))
"""What says nothing where there is an ICC profile."""

LARGEST_PROFILE = 4 << 20
"""Bytes, packed or not."""

_SRGB_GAMMA, _NEAR = 0.45455, 0.02
"""What gAMA holds for decoders that do not know the sRGB chunk (11.3.2.5), and so for pictures of sRGB without one; and
how near to it a gamma is the same, as writers round it to 0.45 and 0.4545."""

_UNIT = 100_000
"""gAMA and cHRM hold a hundred thousand times what they mean."""


class Stated(NamedTuple):
    """A statement, and whether it outranks an ICC profile."""

    statement: Statement
    outranks: bool


def stated(source: Source) -> Stated | None:
    """Return the statement that applies: cICP before a profile, then sRGB, then gAMA with cHRM; None without any.

    A chunk after the pixels, of a wrong size, or with code points that are not defined for pictures is ignored.
    """
    found = _found(source)
    if b"cICP" in found:
        statement = _coded(found[b"cICP"], source.number(24, 1))
        if statement:
            return Stated(statement, outranks=True)
    if b"sRGB" in found:
        return Stated(Statement(), outranks=False)
    curve, primaries = _curve(found.get(b"gAMA")), _primaries(found.get(b"cHRM"))
    if curve is None and primaries is None:
        return None
    return Stated(Statement(primaries or BT709, curve or SRGB), outranks=False)


def profile(source: Source) -> bytes | None:
    """Return the ICC profile of the iCCP chunk; None where there is none, or it is broken."""
    try:
        for chunk in chunks(source):
            if chunk.kind == b"IDAT":
                break
            if chunk.kind == b"iCCP" and chunk.end - chunk.start <= LARGEST_PROFILE:
                _, _, packed = _content(source, chunk).partition(b"\0")
                return zlib.decompressobj().decompress(packed[1:], LARGEST_PROFILE) or None
    except (Undecodable, zlib.error):
        pass
    return None


def _found(source: Source) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    try:
        for chunk in chunks(source):
            if chunk.kind == b"IDAT":
                break
            if _SIZES.get(chunk.kind) == chunk.end - chunk.start:
                found.setdefault(chunk.kind, _content(source, chunk))
    except Undecodable:  # the decoder judges it
        pass
    return found


def _content(source: Source, chunk: Chunk) -> bytes:
    return source.read(chunk.start, chunk.end - chunk.start)


def _coded(content: bytes, depth: int) -> Statement | None:
    """cICP (11.3.2.6): primaries, transfer, a matrix that must be that of RGB, and whether the range is full.

    A narrow range has black at 16 and white at 235 of 8 bits, and so many times that of 16 (H.273, 8.3).
    """
    primaries, transfer, matrix, full = content
    statement = by_numbers(primaries, transfer)
    if statement is None or matrix != 0 or full > 1:
        return None
    if full:
        return statement
    unit, most = (256, 65535) if depth == 16 else (1, 255)
    return Statement(statement.primaries, statement.transfer, 16 * unit / most, most / (219 * unit))


def _curve(content: bytes | None) -> Curve | None:
    """gAMA (11.3.2.1): light to the power of this gives the sample. That of sRGB stands for its curve."""
    gamma = int.from_bytes(content or b"") / _UNIT
    if abs(gamma / _SRGB_GAMMA - 1) < _NEAR:
        return SRGB
    return Curve(1 / gamma) if 0.01 <= gamma <= 100 else None


def _primaries(content: bytes | None) -> Primaries | None:
    """cHRM (11.3.2.2): white, red, green, blue."""
    if content is None:
        return None
    white, red, green, blue = (
        (int.from_bytes(content[i : i + 4]) / _UNIT, int.from_bytes(content[i + 4 : i + 8]) / _UNIT)
        for i in (0, 8, 16, 24)
    )
    primaries = Primaries(red, green, blue, white)
    try:
        if white[1] > 0:
            to_xyz(primaries)
            return primaries
    except (ValueError, ZeroDivisionError):
        pass
    return None
