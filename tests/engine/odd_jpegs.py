"""JPEGs of any sampling, written by this module alone (ITU-T T.81): blocks of a few coefficients, in units of several
components. What fills the last units up, and is not shown, is chosen apart from the rest."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

Block = list[int]
Sampling = tuple[int, int]

_DC = bytes(range(12))
_AC = bytes([0x00, 0xF0, *(run << 4 | size for run in range(16) for size in range(1, 11))])
_DC_LENGTH, _AC_LENGTH = 4, 8  # one length for all codes of a table, which leaves the code of ones alone free


@dataclass(frozen=True)
class Jpeg:
    """A picture of `size`; `filling` is the seed of the blocks beyond the edge of a component."""

    size: tuple[int, int]
    samplings: Sequence[Sampling]
    progressive: bool = False
    restart: int = 0
    filling: int = 0
    stray: bytes = b""
    """Bytes behind the last code of each part between restarts."""

    def data(self) -> bytes:
        marker = 0xC2 if self.progressive else 0xC0
        width, height = self.size
        frame = bytes([8, *height.to_bytes(2), *width.to_bytes(2), len(self.samplings)])
        for number, (across, down) in enumerate(self.samplings):
            frame += bytes([number + 1, across << 4 | down, 0])
        parts = [b"\xff\xd8", _segment(0xE0, b"JFIF\0\1\1\1\0\x48\0\x48\0\0"), _segment(0xDB, b"\0" + bytes([3] * 64))]
        parts += [_segment(marker, frame), _table(0x00, _DC, _DC_LENGTH), _table(0x10, _AC, _AC_LENGTH)]
        parts += [_segment(0xDD, self.restart.to_bytes(2))] if self.restart else []
        for numbers, first, last, high, low in self._scans():
            head = bytes([len(numbers), *(byte for number in numbers for byte in (number + 1, 0))])
            parts.append(_segment(0xDA, head + bytes([first, last, high << 4 | low])))
            parts.append(self._coded(numbers, first, last, high, low))
        return b"".join([*parts, b"\xff\xd9"])

    def _scans(self) -> Iterator[tuple[list[int], int, int, int, int]]:
        every = list(range(len(self.samplings)))
        if not self.progressive:
            yield every, 0, 63, 0, 0
            return
        yield every, 0, 0, 0, 1
        for number in every:
            yield [number], 1, 63, 0, 0
        yield every, 0, 0, 1, 0

    def _coded(self, numbers: Sequence[int], first: int, last: int, high: int, low: int) -> bytes:
        units = list(self._units(numbers))
        step = self.restart or len(units)
        parts = []
        for start in range(0, len(units), step):
            bits, before = [], dict.fromkeys(numbers, 0)
            for number, block in (each for unit in units[start : start + step] for each in unit):
                if high:
                    bits.append(str(block[0] & 1))
                    continue
                if first == 0:
                    value = block[0] >> low
                    bits.append(_number(_DC, _DC_LENGTH, 0, value - before[number]))
                    before[number] = value
                bits += _coefficients(block) if last else []
            text = "".join(bits)
            text += "1" * (-len(text) % 8)
            packed = bytes(int(text[at : at + 8], 2) for at in range(0, len(text), 8)).replace(b"\xff", b"\xff\0")
            parts.append(packed + self.stray)
        return b"".join(part + bytes([0xFF, 0xD0 + at % 8]) for at, part in enumerate(parts[:-1])) + parts[-1]

    def _units(self, numbers: Sequence[int]) -> Iterator[list[tuple[int, Block]]]:
        """The blocks of each unit; a component that is alone has one block a unit, and none beyond its edge."""
        most = [max(side) for side in zip(*self.samplings, strict=True)]
        if len(numbers) == 1:
            columns, rows = self._blocks(numbers[0], most)
            yield from (
                [(numbers[0], self._block(numbers[0], x, y, most))] for y in range(rows) for x in range(columns)
            )
            return
        across, down = (-(-side // (8 * largest)) for side, largest in zip(self.size, most, strict=True))
        for row in range(down):
            for column in range(across):
                yield [
                    (number, self._block(number, column * wide + x, row * high + y, most))
                    for number in numbers
                    for wide, high in [self.samplings[number]]
                    for y in range(high)
                    for x in range(wide)
                ]

    def _blocks(self, number: int, most: Sequence[int]) -> tuple[int, int]:
        sides = zip(self.size, self.samplings[number], most, strict=True)
        columns, rows = (-(-side * own // (8 * largest)) for side, own, largest in sides)
        return columns, rows

    def _block(self, number: int, x: int, y: int, most: Sequence[int]) -> Block:
        columns, rows = self._blocks(number, most)
        drawn = random.Random(f"{number} {x} {y} {'' if x < columns and y < rows else self.filling}")
        block = [0] * 64
        block[0] = drawn.randrange(-200, 200)
        for _ in range(drawn.randrange(6)):
            block[drawn.randrange(1, 64)] = drawn.randrange(-30, 30)
        return block


def _coefficients(block: Block) -> Iterator[str]:
    run = 0
    last = max((at for at in range(1, 64) if block[at]), default=0)
    for value in block[1 : last + 1]:
        if value == 0:
            run += 1
            continue
        while run > 15:
            yield _code(_AC, _AC_LENGTH, 0xF0)
            run -= 16
        yield _number(_AC, _AC_LENGTH, run, value)
        run = 0
    if last < 63:
        yield _code(_AC, _AC_LENGTH, 0)


def _number(table: bytes, length: int, run: int, value: int) -> str:
    size = abs(value).bit_length()
    rest = f"{value if value > 0 else value + (1 << size) - 1:0{size}b}" if size else ""
    return _code(table, length, run << 4 | size) + rest


def _code(table: bytes, length: int, symbol: int) -> str:
    return f"{table.index(symbol):0{length}b}"


def _table(number: int, symbols: bytes, length: int) -> bytes:
    lengths = bytes(len(symbols) if each == length else 0 for each in range(1, 17))
    return _segment(0xC4, bytes([number]) + lengths + symbols)


def _segment(marker: int, content: bytes) -> bytes:
    return bytes([0xFF, marker]) + (len(content) + 2).to_bytes(2) + content
