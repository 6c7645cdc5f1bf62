"""Bounded reading of a file, or of a part of one, at offsets."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from service.engine.job import Undecodable

CHUNK = 64 * 1024


class Cut(Undecodable):
    """The file ends before what its header speaks of."""


class Source:
    """A file, or `part` of it, as bytes 0..size. Only what is asked for is ever in memory.

    `read` raises Cut where the bytes asked for are not all there.
    """

    def __init__(self, descriptor: int, start: int, size: int) -> None:
        self.descriptor = descriptor
        self.start = start
        self.size = size

    def read(self, offset: int, count: int) -> bytes:
        """Exactly `count` bytes at `offset`."""
        if not 0 <= offset <= self.size - count:
            raise Cut("The image is damaged: the file ends too soon")
        content = os.pread(self.descriptor, count, self.start + offset)
        if len(content) != count:
            raise Cut("The image is damaged: the file ends too soon")
        return content

    def head(self, count: int) -> bytes:
        """The first `count` bytes, or all there are."""
        return self.read(0, min(count, self.size))

    def number(self, offset: int, count: int, *, little: bool = False) -> int:
        """An unsigned number of `count` bytes."""
        return int.from_bytes(self.read(offset, count), "little" if little else "big")

    def part(self, offset: int, size: int) -> Source:
        """The `size` bytes at `offset` as a source of their own, cut at the end of this one."""
        offset = min(offset, self.size)
        return Source(self.descriptor, self.start + offset, max(0, min(size, self.size - offset)))

    def chunks(self, offset: int = 0) -> Iterator[bytes]:
        """All bytes from `offset` to the end, at most CHUNK at a time."""
        while offset < self.size:
            chunk = self.read(offset, min(CHUNK, self.size - offset))
            yield chunk
            offset += len(chunk)


class OpenedFile(Source):
    """A whole file, open as long as the `with` block runs. Raises OSError where it cannot be opened."""

    def __init__(self, path: Path) -> None:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        super().__init__(descriptor, 0, os.fstat(descriptor).st_size)

    def __enter__(self) -> Source:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self.descriptor)
