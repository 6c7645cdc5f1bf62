"""What JPEG XL's entropy coder writes symbols in (ISO/IEC 18181-1, annex C.2). Prefix codes are in `jxl_prefix`."""

from __future__ import annotations

from typing import Protocol

from service.engine.headers.lsb import LowBits
from service.engine.job import Undecodable

_LOG_TOTAL = 12
_TOTAL = 1 << _LOG_TOTAL
_STATE_BITS, _FINAL_STATE = 16, 0x130000
_REPEATED = 13  # among logarithms of counts: the last count, several times


class Code(Protocol):
    """What symbols of one context are written in."""

    def symbol(self, bits: LowBits, state: AnsState) -> int: ...


class AnsState:
    """The state that all ANS codes of a stream share; prefix codes have none."""

    __slots__ = ("value",)

    def __init__(self, value: int) -> None:
        self.value = value

    def require_end(self) -> None:
        """Raise Undecodable unless the stream ended where it had to."""
        if self.value != _FINAL_STATE:
            raise damaged()


def ans_state(bits: LowBits) -> AnsState:
    return AnsState(bits.take(32))


def damaged() -> Undecodable:
    return Undecodable("The JPEG XL is damaged: its numbers cannot be decoded")


class Ans:
    """An alias table of a distribution of 4096: a symbol takes the less of the state the more frequent it is."""

    def __init__(self, counts: list[int], log_size: int) -> None:
        size, self._log_entry = 1 << log_size, _LOG_TOTAL - log_size
        if len(counts) > size:
            raise damaged()
        self._counts = counts + [0] * (size - len(counts))
        self._rows = _alias(self._counts, 1 << self._log_entry)

    def symbol(self, bits: LowBits, state: AnsState) -> int:
        value = state.value & _TOTAL - 1
        index, place = value >> self._log_entry, value & (1 << self._log_entry) - 1
        cutoff, other, offset = self._rows[index]
        if place >= cutoff:
            index, place = other, place + offset
        following = self._counts[index] * (state.value >> _LOG_TOTAL) + place
        state.value = following if following >> _STATE_BITS else following << _STATE_BITS | bits.take(_STATE_BITS)
        return index


def ans(bits: LowBits, log_size: int) -> Ans:
    """Read a distribution (C.2.5)."""
    return Ans(_distribution(bits), log_size)


def _alias(counts: list[int], entry: int) -> list[tuple[int, int, int]]:
    """By the state's upper bits: up to where the entry's own symbol holds, which other one behind, and its offset."""
    size = len(counts)
    if _TOTAL in counts:
        alone = counts.index(_TOTAL)
        return [(0, alone, entry * index) for index in range(size)]
    left, others, offsets = list(counts), list(range(size)), [0] * size
    over = [index for index in range(size) if counts[index] > entry]
    under = [index for index in range(size) if counts[index] < entry]
    while over:
        if not under:
            raise damaged()
        large, small = over[-1], under.pop()
        left[large] -= entry - left[small]
        others[small], offsets[small] = large, left[large]
        if left[large] <= entry:
            over.pop()
        if left[large] < entry:
            under.append(large)
    return [
        (0, index, 0) if left[index] == entry else (left[index], others[index], offsets[index] - left[index])
        for index in range(size)
    ]


def _distribution(bits: LowBits) -> list[int]:
    if bits.flag():
        return _one_or_two(bits)
    if bits.flag():
        size = bits.short() + 1
        share, more = divmod(_TOTAL, size)
        return [share + (index < more) for index in range(size)]
    return _counts(bits)


def _one_or_two(bits: LowBits) -> list[int]:
    two = bits.flag()
    symbols = [bits.short() for _ in range(1 + two)]
    counts = [0] * (max(symbols) + 1)
    counts[symbols[0]] = bits.take(_LOG_TOTAL) if two else _TOTAL
    if two:
        if symbols[0] == symbols[1]:
            raise damaged()
        counts[symbols[1]] = _TOTAL - counts[symbols[0]]
    return counts


def _counts(bits: LowBits) -> list[int]:
    """Logarithms first, then the bits below them. The largest count, the first of several, is what is left."""
    length = 0
    while length < 3 and bits.flag():
        length += 1
    shift = (bits.take(length) | 1 << length) - 1
    size = bits.short() + 3
    logs = list[int]()
    while len(logs) < size:
        log = _log_count(bits)
        logs += [_REPEATED] * (bits.short() + 4) if log == _REPEATED else [log]
    if shift > _REPEATED or len(logs) > size:
        raise damaged()
    largest = max((log for log in logs if log != _REPEATED), default=0)
    omitted = logs.index(largest) if largest else size
    counts = list[int]()
    for index, log in enumerate(logs):
        if log == _REPEATED:
            counts.append(counts[-1] if counts else 0)
        elif log < 2 or index == omitted:
            counts.append(0 if index == omitted else log)
        else:
            low = max(0, min(log - 1, shift - (_LOG_TOTAL - log + 1 >> 1)))
            counts.append((1 << log - 1) + (bits.take(low) << log - 1 - low))
    rest = _TOTAL - sum(counts)
    if omitted == size or rest <= 0 or logs[omitted + 1 : omitted + 2] == [_REPEATED]:
        raise damaged()
    counts[omitted] = rest
    return counts


def _log_count(bits: LowBits) -> int:
    """A prefix code of 3 to 7 bits, the first bit read being the lowest."""
    low = bits.take(3)
    if low in _LOG_BY_3:
        return _LOG_BY_3[low]
    low |= bits.take(1) << 3
    if low in _LOG_BY_4:
        return _LOG_BY_4[low]
    for log in (0, 11):
        if bits.flag():
            return log
    return _REPEATED if bits.flag() else 12


_LOG_BY_3 = {0: 10, 2: 7, 4: 6, 5: 8, 6: 9}
_LOG_BY_4 = {3: 3, 7: 5, 9: 4, 11: 1, 15: 2}
