"""The coded pixels of a WebP without bytes that its decoder does not need (RFC 6386 for VP8, RFC 9649)."""

from __future__ import annotations

import io
from collections.abc import Iterator

from PIL import Image as Pillow

from service.engine.stripping.tails import Decode, settled, shortened, zeroed

_KEY_FRAME = 10  # bytes of its header, before the first partition


def minimal(alpha: bytes, kind: bytes, coded: bytes) -> tuple[bytes, bytes]:
    """Return the contents of ALPH (empty for none), and of `VP8 ` or `VP8L`, with the pixels they had."""
    size = size_of(kind, coded)
    if alpha and not alpha[0] & 3:  # not compressed: one byte a pixel
        alpha = alpha[: 1 + size[0] * size[1]]
    elif alpha:
        alpha = settled(
            alpha,
            lambda data: _without_tail(data, [(1, len(data))], lambda one: _pixels(_file(size, one, kind, coded))),
        )
    made = settled(
        coded, lambda data: _without_tail(data, _parts(kind, data), lambda one: _pixels(_file(size, b"", kind, one)))
    )
    return bytes([alpha[0] & 0x3F]) + alpha[1:] if alpha else b"", made


def _without_tail(data: bytes, parts: list[tuple[int, int]], decode: Decode) -> bytes:
    """The data with zeros for what no pixel depends on at the end of each of its parts, and shorter at its own end."""
    free = 0
    for start, end in parts:
        data, free = zeroed(data, start, end, decode)
    ends = parts and parts[-1][1] == len(data)
    return shortened(data, free, lambda one, count: one[:-count], decode) if ends else data


def _parts(kind: bytes, coded: bytes) -> list[tuple[int, int]]:
    """Where codes begin and end in a bitstream."""
    return list(_partitions(coded)) if kind == b"VP8 " else [(5, len(coded))]


def size_of(kind: bytes, coded: bytes) -> tuple[int, int]:
    """Return the width and height that a bitstream states."""
    if kind == b"VP8 ":
        return int.from_bytes(coded[6:8], "little") & 0x3FFF, int.from_bytes(coded[8:10], "little") & 0x3FFF
    bits = int.from_bytes(coded[1:5], "little")
    return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)


def _file(size: tuple[int, int], alpha: bytes, kind: bytes, coded: bytes) -> bytes:
    body = _chunk(kind, coded)
    if alpha:
        sides = b"".join((side - 1).to_bytes(3, "little") for side in size)
        body = _chunk(b"VP8X", b"\x10\0\0\0" + sides) + _chunk(b"ALPH", alpha) + body
    return b"RIFF" + (4 + len(body)).to_bytes(4, "little") + b"WEBP" + body


def _pixels(data: bytes) -> bytes:
    try:
        with Pillow.open(io.BytesIO(data), formats=("WEBP",)) as image:
            return image.tobytes()
    except (OSError, RuntimeError, SyntaxError, ValueError):
        return b""


def _partitions(coded: bytes) -> Iterator[tuple[int, int]]:
    """The ends of each partition: the first, with modes, then 1, 2, 4 or 8 with coefficients (RFC 6386, 9.5)."""
    first = int.from_bytes(coded[:3], "little") >> 5
    start, at = _KEY_FRAME, min(len(coded), _KEY_FRAME + first)
    yield start, at
    count = _count(coded[start:at])
    start = at + 3 * (count - 1)
    for number in range(count - 1):
        end = start + int.from_bytes(coded[at + 3 * number : at + 3 * number + 3], "little")
        if end > len(coded):
            return
        yield start, end
        start = end
    if start < len(coded):
        yield start, len(coded)


def _count(first: bytes) -> int:
    """How many partitions of coefficients the header in the first partition speaks of (RFC 6386, 9.2 to 9.5)."""
    bits = _Bits(first)
    bits.take(2)  # colour space, clamping
    if bits.take(1):  # segmentation
        changes_map, changes_data = bits.take(1), bits.take(1)
        if changes_data:
            bits.take(1)
            for width in (7, 7, 7, 7, 6, 6, 6, 6):
                if bits.take(1):
                    bits.take(width + 1)
        if changes_map:
            for _ in range(3):
                if bits.take(1):
                    bits.take(8)
    bits.take(1 + 6 + 3)  # the loop filter
    if bits.take(1) and bits.take(1):
        for _ in range(8):
            if bits.take(1):
                bits.take(7)
    return 1 << bits.take(2)


class _Bits:
    """Flags and numbers of a header, whose bits are coded as equally likely (RFC 6386, 7.3)."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._value, self._next, self._range, self._count = int.from_bytes(data[:2].ljust(2, b"\0")), 2, 255, 0

    def take(self, count: int) -> int:
        number = 0
        for _ in range(count):
            number = number << 1 | self._bit()
        return number

    def _bit(self) -> int:
        split = 1 + ((self._range - 1) * 128 >> 8)
        bit = self._value >= split << 8
        self._range, self._value = (self._range - split, self._value - (split << 8)) if bit else (split, self._value)
        while self._range < 128:
            self._value, self._range, self._count = self._value << 1, self._range << 1, self._count + 1
            if self._count == 8:
                self._value |= self._data[self._next] if self._next < len(self._data) else 0
                self._next, self._count = self._next + 1, 0
        return int(bit)


def _chunk(kind: bytes, content: bytes) -> bytes:
    return kind + len(content).to_bytes(4, "little") + content + b"\0" * (len(content) % 2)
