"""A whole file, damaged: bytes, numbers and spans of it changed, and checksums set right again."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Sequence
from random import Random

NUMBERS = (0, 1, 2, 3, 7, 8, 127, 128, 255, 256, 32767, 32768, 65535, 65536, 2**31 - 1, 2**31, 2**32 - 1)
HEAD = (16, 64, 256, 2048)  # bytes within which half of the changes are made: there the headers are


def damaged(chance: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """`data` with one to six changes; pieces of `others` may come into it."""
    changed = bytearray(data)
    for _ in range(chance.choice((1, 1, 1, 2, 3, 6))):
        chance.choice(_CHANGES)(chance, changed, others)
    return with_checksums(bytes(changed)) if chance.random() < 0.8 else bytes(changed)


def with_checksums(data: bytes) -> bytes:
    """A PNG with every checksum that belongs to its chunks; other files as they are."""
    if not data.startswith(b"\x89PNG\r\n\x1a\n"):
        return data
    changed, at = bytearray(data), 8
    while at + 12 <= len(changed):
        end = at + 8 + int.from_bytes(changed[at : at + 4])
        if end + 4 > len(changed):
            break
        changed[end : end + 4] = struct.pack(">I", zlib.crc32(changed[at + 4 : end]))
        at = end + 4
    return bytes(changed)


def place(chance: Random, data: bytearray) -> int:
    """A place in `data`, half of the time near its beginning; `len(data)` is one, too."""
    reach = min(len(data), chance.choice(HEAD) if chance.random() < 0.5 else len(data))
    return chance.randint(0, reach)


def _byte(chance: Random, data: bytearray, _: Sequence[bytes]) -> None:
    if data:
        data[min(place(chance, data), len(data) - 1)] = chance.choice((0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256)))


def _number(chance: Random, data: bytearray, _: Sequence[bytes]) -> None:
    """A number at one of its limits in place of 2, 4 or 8 bytes."""
    size, at = chance.choice((2, 4, 4, 8)), place(chance, data)
    value = chance.choice((*NUMBERS, len(data), len(data) - at)) % 2 ** (8 * size)
    written = value.to_bytes(size, chance.choice(("big", "little")))
    data[at : at + size] = written[: len(data) - at]


def _cut(chance: Random, data: bytearray, _: Sequence[bytes]) -> None:
    at = place(chance, data)
    del data[at : at + chance.choice((1, 2, 4, 8, 16, 100, chance.randint(0, len(data))))]


def _repeat(chance: Random, data: bytearray, _: Sequence[bytes]) -> None:
    at, size = place(chance, data), chance.choice((1, 4, 12, 64))
    data[at:at] = data[at : at + size] * chance.choice((1, 2, 20))


def _insert(chance: Random, data: bytearray, _: Sequence[bytes]) -> None:
    at = place(chance, data)
    data[at:at] = chance.choice((b"\0", b"\xff", b"\xff\xd9", chance.randbytes(chance.randint(1, 40))))


def _splice(chance: Random, data: bytearray, others: Sequence[bytes]) -> None:
    """A piece of another file, in place of as many bytes or between two."""
    other = chance.choice(others)
    start, size, at = chance.randint(0, len(other)), chance.choice((4, 16, 64, 400)), place(chance, data)
    data[at : at + chance.choice((0, size))] = other[start : start + size]


_CHANGES: tuple[Callable[[Random, bytearray, Sequence[bytes]], None], ...] = (
    *(_byte, _byte, _byte, _number, _number, _cut, _repeat, _insert, _splice),
)
