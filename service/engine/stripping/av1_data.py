"""The data of an AV1 picture without what decoding does not need (AV1 Bitstream & Decoding Process Specification).

A stream is a chain of units (5.3). Those of metadata, padding and unknown kinds go; the sequence header ends with its
last field, whatever lies behind it.
"""

from __future__ import annotations

from collections.abc import Iterator

from service.engine.headers import av1
from service.engine.headers.bits import Bits
from service.engine.job import Undecodable
from service.engine.stripping import NotCopied

SEQUENCE_HEADER = 1
PICTURE = (3, 4, 6)  # frame header, tile group, frame
MAX_UNITS = 4096


def minimal(data: bytes) -> bytes:
    """Return the stream with the units of the picture alone, each with its length. Raises Undecodable, NotCopied."""
    headers, written, shown = list[bytes](), list[bytes](), False
    for first, extension, whole in _units(data):
        kind = first >> 3 & 15
        content = _sequence(whole) if kind == SEQUENCE_HEADER else whole
        if kind == SEQUENCE_HEADER:
            headers.append(content)
        elif kind not in PICTURE:
            continue
        shown |= kind in PICTURE
        if kind != SEQUENCE_HEADER or len(headers) == 1:
            start = bytes([kind << 3 | (4 if extension else 0) | 2]) + bytes([extension & 0xF8] if extension else [])
            written += start, _leb128(len(content)), content
    if not shown:
        raise Undecodable("The AVIF is damaged: there are no pixels in it")
    if len(set(headers)) > 1:
        raise NotCopied("the picture has several sequence headers")
    return b"".join(written)


def sequence_header(data: bytes) -> bytes | None:
    """The first sequence header of what `minimal` gave; None where there is none."""
    return next((content for first, _, content in _units(data) if first >> 3 & 15 == SEQUENCE_HEADER), None)


def _units(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """The first byte of each unit's header, its extension, 0 for none, and its content."""
    at = 0
    for _ in range(MAX_UNITS):
        if at >= len(data):
            return
        first, extension, at = data[at], 0, at + 1
        if first & 4:
            extension, at = (data[at] if at < len(data) else 0), at + 1
        size = len(data) - at
        if first & 2:
            size, at = _number(data, at)
        if at + size > len(data):
            raise Undecodable("The AVIF is damaged: its picture ends too soon")
        yield first, extension, data[at : at + size]
        at += size
    raise NotCopied(f"the picture is made of more than {MAX_UNITS} units")


def _number(data: bytes, at: int) -> tuple[int, int]:
    """A number of seven bits a byte (4.10.5), and where it ends."""
    number = 0
    for place in range(8):
        byte = data[at + place] if at + place < len(data) else 0
        number |= (byte & 127) << 7 * place
        if not byte & 128:
            return number, at + place + 1
    raise Undecodable("The AVIF is damaged: a unit has no length")


def _leb128(number: int) -> bytes:
    written = b""
    while number > 127:
        written, number = written + bytes([number & 127 | 128]), number >> 7
    return written + bytes([number])


class _CountedBits(Bits):
    """Bits that must be there; `place` is how many were taken."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.length, self.place = 8 * len(data), 0

    def take(self, count: int) -> int:
        self.place += count
        if self.place > self.length:
            raise Undecodable("The AVIF is damaged: a sequence header ends too soon")
        return super().take(count)


def _sequence(content: bytes) -> bytes:
    """A sequence header (5.5) up to its last field, and the bit that ends it (5.3.4)."""
    content = content[:512]
    bits = _CountedBits(content)
    profile, reduced, _, _ = av1.sequence(bits)
    av1.tools(bits, reduced)
    _colour(bits, profile)
    bits.take(1)  # film grain
    size = bits.place // 8 + 1
    kept = int.from_bytes(content) >> bits.length - bits.place
    return ((kept << 1 | 1) << 8 * size - bits.place - 1).to_bytes(size)


def _colour(bits: Bits, profile: int) -> None:
    """color_config (5.5.2)."""
    high = bits.take(1)
    twelve = profile == 2 and high and bits.take(1)
    gray = profile != 1 and bits.take(1)
    said = (bits.take(8), bits.take(8), bits.take(8)) if bits.take(1) else (2, 2, 2)
    if gray:
        bits.take(1)  # range
        return
    if said != (1, 13, 0):  # else RGB in full range
        bits.take(1)  # range
        across, down = {0: (1, 1), 1: (0, 0)}.get(profile, (1, 0))
        if profile == 2 and twelve:
            across = bits.take(1)
            down = across and bits.take(1)
        if across and down:
            bits.take(2)  # where chroma samples lie
    bits.take(1)  # separate_uv_delta_q


def shortened(data: bytes, count: int) -> bytes:
    """What `minimal` gave, its last unit shorter by `count` bytes at its end."""
    before = b""
    for first, extension, content in _units(data):
        start = bytes([first]) + bytes([extension] if first & 4 else [])
        if len(before) + len(start + _leb128(len(content)) + content) == len(data):
            kept = content[: len(content) - count]
            return before + start + _leb128(len(kept)) + kept if len(kept) else data
        before += start + _leb128(len(content)) + content
    return data
