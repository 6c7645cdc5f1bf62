"""Numbers that JPEG XL's entropy coder has written before the first frame's data (ISO/IEC 18181-1, annex C).

A parser needs them for one thing: to know where they end. They are an ICC profile (E.4) and the order of a frame's
groups (F.3.2).
"""

from __future__ import annotations

from service.engine.headers.jxl_codes import AnsState, Code, ans, ans_state, damaged
from service.engine.headers.jxl_prefix import PREFIX_BITS, Prefix, prefix
from service.engine.headers.lsb import LowBits
from service.engine.job import Undecodable

LONGEST_PROFILE = 1 << 16
"""Bytes of a profile as it is written, which is shorter than it is."""

_PROFILE_CONTEXTS, _ORDER_CONTEXTS = 41, 8
_SYMBOL = 8  # reads that a symbol takes as long as
_BUILDING = 200  # and a code
_MOST_VALUE_BITS = 32


def pass_profile(bits: LowBits) -> None:
    """Pass over an ICC profile. Raises Undecodable."""
    size = bits.long()
    if size > LONGEST_PROFILE:
        raise Undecodable(f"A profile in a JPEG XL animation may take {LONGEST_PROFILE} bytes; this one takes {size}")
    numbers = Numbers(bits, _PROFILE_CONTEXTS)
    last = before = 0
    for index in range(size):
        context = 0 if index <= 128 else 1 + _kind(last) + 8 * _kind_before(before)
        last, before = numbers.next(context), last
        if last > 255:
            raise damaged()
    numbers.end()


def pass_order(bits: LowBits, count: int) -> None:
    """Pass over the order of `count` groups. Raises Undecodable."""
    numbers = Numbers(bits, _ORDER_CONTEXTS)
    end = numbers.next(min(7, count.bit_length()))
    if end > count:
        raise damaged()
    last = 0
    for _ in range(end):
        last = numbers.next(min(7, last.bit_length()))
    numbers.end()


class Numbers:
    """Numbers from entropy-coded bits, each in a context (C.3)."""

    def __init__(self, bits: LowBits, contexts: int, *, may_copy: bool = True) -> None:
        self._bits = bits
        self._least, self._copied = 0, list[int]()  # the first symbol that copies; what is to be copied, backwards
        self._window = list[int]()
        if may_copy and bits.flag():
            self._least = bits.choice((0, 224), (0, 512), (0, 4096), (15, 8))
            self._shortest = bits.choice((0, 3), (0, 4), (2, 5), (8, 9))
            self._lengths = Hybrid(bits, 8)
            contexts += 1
        elif not may_copy and bits.flag():
            raise damaged()
        self._clusters = _clusters(bits, contexts) if contexts > 1 else [0]
        count = max(self._clusters) + 1
        bits.labour(_BUILDING * count)
        by_prefix = bits.flag()
        log_size = PREFIX_BITS if by_prefix else 5 + bits.take(2)
        self._hybrids = [Hybrid(bits, log_size) for _ in range(count)]
        self._codes: list[Code] = (
            [*_prefixes(bits, count)] if by_prefix else [ans(bits, log_size) for _ in range(count)]
        )
        self._state = AnsState(0) if by_prefix else ans_state(bits)
        self._by_prefix = by_prefix

    def next(self, context: int) -> int:
        self._bits.labour(_SYMBOL)
        if not self._copied:
            cluster = self._clusters[context]
            symbol = self._codes[cluster].symbol(self._bits, self._state)
            if not self._least:
                return self._hybrids[cluster].number(self._bits, symbol)
            if symbol < self._least:
                self._window.append(self._hybrids[cluster].number(self._bits, symbol))
                return self._window[-1]
            self._copy(self._lengths.number(self._bits, symbol - self._least) + self._shortest)
        self._window.append(self._copied.pop())
        return self._window[-1]

    def end(self) -> None:
        """Raise Undecodable unless the stream ends here."""
        if not self._by_prefix:
            self._state.require_end()

    def _copy(self, count: int) -> None:
        cluster = self._clusters[-1]
        symbol = self._codes[cluster].symbol(self._bits, self._state)
        distance = min(self._hybrids[cluster].number(self._bits, symbol) + 1, len(self._window))
        if count > LONGEST_PROFILE:
            raise damaged()
        period = self._window[-distance:] if distance else [0]
        self._copied = [period[index % len(period)] for index in reversed(range(count))]


class Hybrid:
    """How a symbol and bits behind it make a number (C.3.3)."""

    def __init__(self, bits: LowBits, log_size: int) -> None:
        self._exponent = bits.take(log_size.bit_length())
        self._high = self._low = 0
        if self._exponent > log_size:
            raise damaged()
        if self._exponent != log_size:
            self._high = bits.take(self._exponent.bit_length())
            if self._high > self._exponent:
                raise damaged()
            self._low = bits.take((self._exponent - self._high).bit_length())
        if self._high + self._low > self._exponent:
            raise damaged()

    def number(self, bits: LowBits, symbol: int) -> int:
        first = 1 << self._exponent
        if symbol < first:
            return symbol
        kept = self._high + self._low
        count = self._exponent - kept + (symbol - first >> kept)
        if count > _MOST_VALUE_BITS:
            raise damaged()
        low = symbol & (1 << self._low) - 1
        high = symbol >> self._low & (1 << self._high) - 1 | 1 << self._high
        return (high << count | bits.take(count)) << self._low | low


def _clusters(bits: LowBits, contexts: int) -> list[int]:
    """Which code each context has (C.2.2)."""
    if bits.flag():
        width = bits.take(2)
        return [bits.take(width) for _ in range(contexts)]
    by_rank = bits.flag()
    numbers = Numbers(bits, 1, may_copy=contexts > 2)
    found = [numbers.next(0) for _ in range(contexts)]
    numbers.end()
    if max(found) > 255:
        raise damaged()
    if not by_rank:
        return found
    ranked, clusters = list(range(256)), []
    for rank in found:
        clusters.append(ranked[rank])
        ranked.insert(0, ranked.pop(rank))
    return clusters


def _prefixes(bits: LowBits, count: int) -> list[Prefix]:
    sizes = []
    for _ in range(count):
        width = bits.take(4) if bits.flag() else None
        sizes.append(1 if width is None else 1 + (1 << width) + bits.take(width))
        if sizes[-1] > 1 << PREFIX_BITS:
            raise damaged()
    bits.labour(sum(sizes))
    return [prefix(bits, size) for size in sizes]


def _kind(byte: int) -> int:
    """The part of the context of a profile's byte that the last one tells."""
    letter = _letter(byte)
    if letter is not None:
        return letter
    if byte < 16:
        return min(2 + byte, 4)
    return 6 if byte == 255 else 5 if byte > 240 else 7


def _kind_before(byte: int) -> int:
    """And the part of the one before that."""
    letter = _letter(byte)
    if letter is not None:
        return letter
    return 2 if byte < 16 else 3 if byte > 240 else 4


def _letter(byte: int) -> int | None:
    if 65 <= byte <= 90 or 97 <= byte <= 122:
        return 0
    return 1 if 48 <= byte <= 57 or byte in b".," else None
