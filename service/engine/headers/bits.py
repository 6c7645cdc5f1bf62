"""Bytes read bit by bit, as headers of video streams are."""

from __future__ import annotations


class Bits:
    """Bytes read bit by bit; zeros follow their end."""

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data)
        self._left = 8 * len(data)

    def take(self, count: int) -> int:
        self._left -= count
        value = self._value >> self._left if self._left >= 0 else self._value << -self._left
        return value & (1 << count) - 1

    def golomb(self) -> int:
        """An unsigned number in Exp-Golomb code (HEVC, 9.2); one of more than 32 bits counts as 0."""
        zeros = 0
        while zeros < 32 and not self.take(1):
            zeros += 1
        return (1 << zeros) - 1 + self.take(zeros) if zeros < 32 else 0
