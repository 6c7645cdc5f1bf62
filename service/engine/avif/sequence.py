"""What libavif writes of its own into a sequence: the time of day, and that it runs for ever."""

from __future__ import annotations

from collections.abc import Iterator

_HOLDERS = (b"moov", b"trak", b"mdia", b"edts")
_FOREVER = bytes([255] * 8)
_TIMES = slice(4, 20)  # of mvhd, tkhd and mdhd in version 1: when it was made and changed, eight bytes each
_DURATIONS = {b"mvhd": 24, b"tkhd": 28}
"""Where the duration of all runs stands in them (ISO/IEC 14496-12, 8.2.2 and 8.3.2)."""


def settled(data: bytes, plays: int) -> bytes:
    """Return the AVIF without times of day, so that its bytes depend on its pictures alone, running `plays` times.

    0 stands for ever. A sequence runs until the duration of its track ends, which is repeated by its edit list.
    """
    made = bytearray(data)
    found = list(_boxes(data, 0, len(data)))
    (edits, *_) = (start for kind, start in found if kind == b"elst")
    once = int.from_bytes(data[edits + 8 : edits + 16])
    whole = (once * plays).to_bytes(8) if plays else _FOREVER
    for kind, start in found:
        if kind in (b"mvhd", b"tkhd", b"mdhd"):
            if data[start] != 1:
                raise AssertionError("libavif writes boxes of version 1")
            made[start + _TIMES.start : start + _TIMES.stop] = bytes(16)
        if kind in _DURATIONS:
            at = start + _DURATIONS[kind]
            made[at : at + 8] = whole
    return bytes(made)


def _boxes(data: bytes, at: int, end: int) -> Iterator[tuple[bytes, int]]:
    """Every box of a movie with where its content starts."""
    while at < end:
        size, kind = int.from_bytes(data[at : at + 4]), data[at + 4 : at + 8]
        yield kind, at + 8
        if kind in _HOLDERS:
            yield from _boxes(data, at + 8, at + size)
        at += size
