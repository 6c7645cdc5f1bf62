"""Prefix codes in JPEG XL (ISO/IEC 18181-1, annex C.2.4), which are those of Brotli (RFC 7932, section 3)."""

from __future__ import annotations

from collections.abc import Sequence

from service.engine.headers.jxl_codes import AnsState, damaged
from service.engine.headers.lsb import LowBits

PREFIX_BITS = 15
_LENGTHS_ORDER = (1, 2, 3, 4, 0, 5, 17, 6, 16, 7, 8, 9, 10, 11, 12, 13, 14, 15)
_SIMPLE_LENGTHS = ((0,), (1, 1), (1, 2, 2), (2, 2, 2, 2), (1, 2, 3, 3))


class Prefix:
    """A canonical code by its lengths; that of a single symbol takes no bits."""

    def __init__(self, lengths: Sequence[int]) -> None:
        used = sorted((length, symbol) for symbol, length in enumerate(lengths) if length)
        self._alone = used[0][1] if len(used) == 1 else 0 if not used else None
        self._symbols: dict[tuple[int, int], int] = {}
        code = last = 0
        for length, symbol in used:
            code <<= length - last
            self._symbols[length, code] = symbol
            code, last = code + 1, length

    def symbol(self, bits: LowBits, _state: AnsState) -> int:
        if self._alone is not None:
            return self._alone
        code = 0
        for length in range(1, PREFIX_BITS + 1):
            code = code << 1 | bits.take(1)
            found = self._symbols.get((length, code))
            if found is not None:
                return found
        raise damaged()


def prefix(bits: LowBits, size: int) -> Prefix:
    """Read a prefix code of `size` symbols. Raises Undecodable."""
    if size == 1:
        return Prefix(())
    skipped = bits.take(2)
    if skipped == 1:
        return _simple(bits, size)
    lengths, space = [0] * 18, 32
    for place in _LENGTHS_ORDER[skipped:]:
        lengths[place] = length = _length_of_length(bits)
        space -= 32 >> length if length else 0
        if space <= 0:
            break
    if space and sum(map(bool, lengths)) != 1:
        raise damaged()
    return Prefix(_lengths(bits, Prefix(lengths), size))


def _simple(bits: LowBits, size: int) -> Prefix:
    count = bits.take(2) + 1
    symbols = [bits.take((size - 1).bit_length()) for _ in range(count)]
    if len(set(symbols)) != count or max(symbols) >= size:
        raise damaged()
    lengths = [0] * size
    shape = _SIMPLE_LENGTHS[4 if count == 4 and bits.flag() else count - 1]
    for symbol, length in zip(symbols, shape, strict=True):
        lengths[symbol] = length or 1
    return Prefix(lengths)


def _length_of_length(bits: LowBits) -> int:
    """00: 0, 10: 3, 01: 4, then 2 by 011, 1 by 0111 and 5 by 1111, the first bit read being the lowest."""
    low = bits.take(2)
    if low != 3:
        return (0, 4, 3)[low]
    if not bits.flag():
        return 2
    return 5 if bits.flag() else 1


def _lengths(bits: LowBits, code: Prefix, size: int) -> list[int]:
    lengths, space, last = list[int](), 1 << PREFIX_BITS, 8
    repeat, repeated, state = 0, 0, AnsState(0)
    while len(lengths) < size and space > 0:
        length = code.symbol(bits, state)
        if length < 16:
            repeat = 0
            lengths.append(length)
            if length:
                last, space = length, space - ((1 << PREFIX_BITS) >> length)
            continue
        extra = length - 14
        value = last if length == 16 else 0
        before = repeat = repeat if repeated == value else 0
        repeated = value
        repeat = (repeat - 2 << extra if repeat else 0) + bits.take(extra) + 3
        lengths += [value] * (repeat - before)
        if len(lengths) > size:
            raise damaged()
        space -= (repeat - before) << (PREFIX_BITS - value) if value else 0
    if space:
        raise damaged()
    return lengths
