"""Bytes at the end of coded pixels that no pixel depends on: only a decoder tells where an arithmetic code ends.

It is found by decoding with the last bytes zeroed. An encoder pads by a byte or two, so if more bytes can be zeroed,
they were added later.
"""

from __future__ import annotations

from collections.abc import Callable

PADDING = 8
"""Bytes whose zeroing changes pixels of every file that an encoder wrote, but for a few where it does no harm."""

_STEP = 8
_LEFT = (2, 8, 32)
_MOST_TIMES = 8

Decode = Callable[[bytes], bytes]
"""The pixels of coded data, or of a file that holds them; empty where they cannot be decoded."""


def zeroed(data: bytes, start: int, end: int, decode: Decode) -> tuple[bytes, int]:
    """Return `data` with zeros for what no pixel depends on of the bytes before `end`, and how many these are.

    None before `start` is tried. It takes two decodes where there is nothing to zero.
    """
    whole = decode(data)
    if not whole:
        return data, 0

    def is_free(count: int) -> bool:
        return decode(_with_zeros(data, end, count)) == whole

    free, most = 0, end - start
    count = min(PADDING, most)
    while count > free and is_free(count):
        free, count = count, min(count * _STEP, most)
    used = count
    while free and used - free > 1:
        middle = (free + used) // 2
        free, used = (middle, used) if is_free(middle) else (free, middle)
    return _with_zeros(data, end, free), free


def settled(data: bytes, once: Callable[[bytes], bytes]) -> bytes:
    """Apply `once` until it changes nothing: in damaged data what is free at one place may depend on another."""
    for _ in range(_MOST_TIMES):
        before, data = data, once(data)
        if data == before:
            break
    return data


def shortened(data: bytes, free: int, cut: Callable[[bytes, int], bytes], decode: Decode) -> bytes:
    """Return `data`, whose last `free` bytes are zeros without use, without most of them: decoders read ahead.

    `cut` takes so many bytes off its end.
    """
    if free <= _LEFT[0]:
        return data
    whole = decode(data)
    for left in _LEFT:
        if free > left and decode(less := cut(data, free - left)) == whole:
            return less
    return data


def _with_zeros(data: bytes, end: int, count: int) -> bytes:
    return data[: end - count] + bytes(count) + data[end:]
