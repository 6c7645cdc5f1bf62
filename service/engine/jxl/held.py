"""Bytes in memory as a source, for parsers of files."""

from __future__ import annotations

from service.engine.headers.source import Cut, Source


class Held(Source):
    """A source of bytes that are at hand: see `service.engine.headers.source.Source`."""

    def __init__(self, data: bytes) -> None:
        super().__init__(-1, 0, len(data))
        self.data = data

    def read(self, offset: int, count: int) -> bytes:
        if not 0 <= offset <= self.size - count:
            raise Cut("The image is damaged: it ends too soon")
        return self.data[offset : offset + count]

    def part(self, offset: int, size: int) -> Held:
        return Held(self.data[offset : offset + size])
