"""Bits of a JPEG XL codestream, the lowest of a byte first, and the numbers made of them (ISO/IEC 18181-1, annex B)."""

from __future__ import annotations

from service.engine.headers.source import Cut, Source
from service.engine.job import Undecodable

_WINDOW = 64  # bytes that are read at once
_LONGEST = 2**43  # bits of extensions

Choice = tuple[int, int]
"""A number of bits, and what is added to their value: (0, n) is n itself."""


class LowBits:
    """Reads `source` from a byte on, bit by bit. Raises Cut behind its end."""

    def __init__(self, source: Source, offset: int) -> None:
        self._source = source
        self._next = offset
        self._value = 0
        self._held = 0

    def take(self, count: int) -> int:
        """Return the number in the next `count` bits."""
        while self._held < count:
            self._fill()
        value = self._value & (1 << count) - 1
        self._value >>= count
        self._held -= count
        return value

    def labour(self, reads: int) -> None:
        """Count work that takes as long as `reads` reads. Raises TooLaborious."""
        if self._source.work:
            self._source.work.labour(reads)

    def short(self) -> int:
        """Return a number of 0 to 255, of which a small one takes few bits (C.2.5)."""
        if not self.flag():
            return 0
        width = self.take(3)
        return self.take(width) + (1 << width)

    def flag(self) -> bool:
        return self.take(1) == 1

    def skip(self, count: int) -> None:
        """Pass over bits without reading what lies between whole bytes."""
        if count > self._held:
            count -= self._held
            self._value = self._held = 0
            self._next += count // 8
            count %= 8
        self.take(count)

    def choice(self, *choices: Choice) -> int:
        """Return U32: two bits choose how the number is written."""
        bits, offset = choices[self.take(2)]
        return offset + self.take(bits)

    def word(self) -> int:
        """Return Enum."""
        return self.choice((0, 0), (0, 1), (4, 2), (6, 18))

    def long(self) -> int:
        """Return U64."""
        selector = self.take(2)
        if selector < 3:
            return (0, 1, 17)[selector] + self.take(4 * selector)
        value, shift = self.take(12), 12
        while self.flag():
            bits = 4 if shift == 60 else 8
            value |= self.take(bits) << shift
            if bits == 4:
                break
            shift += 8
        return value

    def skip_name(self) -> None:
        """Pass over the name of a channel or a frame."""
        self.skip(8 * self.choice((0, 0), (4, 0), (5, 16), (10, 48)))

    def skip_extensions(self) -> None:
        """Pass over extensions (B.3). Raises Undecodable for such as are longer than any file."""
        which = self.long()
        length = sum(self.long() for i in range(64) if which >> i & 1)
        if length > _LONGEST:
            raise Undecodable("The JPEG XL is damaged: an extension is longer than any file")
        self.skip(length)

    def align(self) -> None:
        """Go on at the next whole byte."""
        self.take(self._held % 8)

    @property
    def byte(self) -> int:
        """The offset of the next byte that no bit was taken of."""
        return self._next - self._held // 8

    def _fill(self) -> None:
        count = min(_WINDOW, self._source.size - self._next)
        if count <= 0:
            raise Cut("The JPEG XL is damaged: the file ends too soon")
        self._value |= int.from_bytes(self._source.read(self._next, count), "little") << self._held
        self._held += 8 * count
        self._next += count
