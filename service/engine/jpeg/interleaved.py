"""Take apart a scan of several components into what a scan of each alone would hold (ITU-T T.81, A.2).

Codes of AC coefficients stay as they are. Those of DC are written anew, for blocks of a component follow one another
in another order when it is alone; blocks beyond its edge, which only fill a unit, are left out. Two seconds of
CPU for each megabyte.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from service.engine.stripping import NotCopied

LARGEST = 8 << 20  # bytes of a scan: some seconds

DC_LENGTHS = bytes((0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0))
DC_SYMBOLS = bytes(range(12))
_DC_CODES = ("00", "010", "011", "100", "101", "110", *("1" * ones + "0" for ones in range(3, 9)))
"""The standard's table of DC differences of luma (K.3.1): every size that samples of 8 bits give has a code."""

_RESTART = re.compile(rb"\xff+[\xd0-\xd7]")
_END_OF_BLOCK, _WORD, _LOOK = 100, 64, 16  # a step over all coefficients that are left; and two sizes

Steps = list[tuple[int, int] | None]


@dataclass(frozen=True, slots=True)
class Table:
    """A Huffman table as DHT has it: how many codes each length has, and their symbols."""

    lengths: bytes
    symbols: bytes

    def found(self) -> list[tuple[int, int] | None]:
        """By the next 16 bits, the length of the code that they begin with and its symbol; None where none is."""
        table: list[tuple[int, int] | None] = []
        symbols = iter(self.symbols)
        for length, count in enumerate(self.lengths, 1):
            for _ in range(count):
                table += [(length, next(symbols))] * (1 << (_LOOK - length))
        if len(table) > 1 << _LOOK:
            raise NotCopied("a Huffman table has more codes than there are")
        return table + [None] * ((1 << _LOOK) - len(table))

    def steps(self) -> Steps:
        """By the next 16 bits, the bits of an AC code with what follows it, and the coefficients that it stands for."""
        return [entry and (entry[0] + (entry[1] & 15), _coefficients(entry[1])) for entry in self.found()]


def _coefficients(symbol: int) -> int:
    run, size = symbol >> 4, symbol & 15
    return run + 1 if size or run == 15 else _END_OF_BLOCK


@dataclass(frozen=True, slots=True)
class Component:
    """Of a scan: blocks of a component in a unit, those that it has in all, and its tables."""

    across: int
    down: int
    columns: int
    rows: int
    dc: Table | None
    ac: Table | None


@dataclass(frozen=True, slots=True)
class Scan:
    """`units` across and down; `restart` units to a restart, 0 for none; whether each block has AC; whether the scan
    `refines` DC by a bit."""

    components: Sequence[Component]
    units: tuple[int, int]
    restart: int
    has_ac: bool
    refines: bool

    def apart(self, data: bytes) -> list[bytes]:
        """The data of a scan of each component, its DC coded by the table above. Raises NotCopied."""
        if len(data) > LARGEST:
            raise NotCopied("the scan is too large to be taken apart")
        found = [_Blocks(one, self) for one in self.components]
        parts = iter(_RESTART.split(data))
        across, down = self.units
        bits, place = "", 0
        for unit in range(across * down):
            if unit % (self.restart or across * down) == 0:
                bits, place = _bits(next(parts, b"")), 0
                for blocks in found:
                    blocks.dc = 0
            for blocks in found:
                place = blocks.take(bits, place, unit % across, unit // across)
        return [_packed(blocks.written()) for blocks in found]


class _Blocks:
    """What has been read of a component: DC, and the bits of AC, of each block in the order of its rows."""

    def __init__(self, component: Component, scan: Scan) -> None:
        self._component, self._scan = component, scan
        self._dc_table = component.dc.found() if component.dc else []
        self._steps = component.ac.steps() if component.ac else []
        size = component.columns * component.rows
        self._values, self._rest = [0] * size, [""] * size
        self.dc = 0

    def take(self, bits: str, place: int, column: int, row: int) -> int:
        """Read the blocks of a unit; where the next component's begin."""
        one, end = self._component, len(bits) - _WORD
        for y in range(row * one.down, (row + 1) * one.down):
            for x in range(column * one.across, (column + 1) * one.across):
                if self._scan.refines:
                    value, start, place = int(bits[place : place + 1] or "0"), 0, place + 1
                else:
                    start = self._difference(bits, place)
                    value, place = self.dc, self._behind(bits, start) if self._scan.has_ac else start
                if place > end:
                    raise NotCopied("the scan ends too soon")
                if x < one.columns and y < one.rows:
                    index = y * one.columns + x
                    self._values[index] = value
                    if self._scan.has_ac:
                        self._rest[index] = bits[start:place]
        return place

    def _difference(self, bits: str, place: int) -> int:
        entry = self._dc_table[int(bits[place : place + _LOOK] or "0", 2)]
        if entry is None or entry[1] >= len(_DC_CODES):
            raise NotCopied("a code of DC is in no table")
        length, size = entry
        place += length
        if size:
            value = int(bits[place : place + size] or "0", 2)
            self.dc += value if value >> (size - 1) else value - (1 << size) + 1
        return place + size

    def _behind(self, bits: str, place: int) -> int:
        steps, k = self._steps, 1
        while k < 64:
            step = steps[int(bits[place : place + _LOOK] or "0", 2)]
            if step is None:
                raise NotCopied("a code of AC is in no table")
            place += step[0]
            k += step[1]
        if 64 < k < _END_OF_BLOCK:
            raise NotCopied("a block has more coefficients than 64")
        return place

    def written(self) -> Iterator[str]:
        """The bits of every block."""
        if self._scan.refines:
            yield from map(str, self._values)
            return
        before = 0
        for value, rest in zip(self._values, self._rest, strict=True):
            difference, before = value - before, value
            size = abs(difference).bit_length()
            if size >= len(_DC_CODES):
                raise NotCopied("a difference of DC has no code")
            yield _DC_CODES[size]
            if size:
                yield f"{difference if difference > 0 else difference + (1 << size) - 1:0{size}b}"
            yield rest


def _bits(data: bytes) -> str:
    """The bits of a part between restarts, and ones behind them, so that a look ahead finds something."""
    plain = data.replace(b"\xff\x00", b"\xff")
    return bin(int.from_bytes(b"\1" + plain))[3:] + "1" * _WORD


def _packed(bits: Iterator[str]) -> bytes:
    text = "".join(bits)
    text += "1" * (-len(text) % 8)
    return int("1" + text, 2).to_bytes(len(text) // 8 + 1)[1:].replace(b"\xff", b"\xff\x00")
