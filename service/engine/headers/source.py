"""Read a file, or a part of one, at offsets, with a bound on the work."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from service.engine.job import Undecodable

CHUNK = 64 * 1024
MAX_FRAMES = 100_000  # that an operator may allow
SMALL, AHEAD = 512, 4096  # bytes: a read of at most SMALL is served from a piece of AHEAD bytes that is held


class Cut(Undecodable):
    """The file ends before the data that its header names."""


class TooLaborious(Undecodable):
    """Parsing the file takes more work than any image needs."""


class Work:
    """The bound on a parser's work for one file: the number of reads, and of bytes, counted each time they are read.

    The bytes are a multiple of the file's size, so that a file cannot make the parser read it again and again. The
    number of reads does not depend on the size. Parsers stop counting frames at one more than `frames`.
    """

    READS = 1_000_000  # about a second; a hundred thousand frames of a GIF take 700,000
    TIMES, LEAST = 16, 2**20

    def __init__(self, size: int, *, frames: int = MAX_FRAMES, reads: int = READS) -> None:
        self.reads = reads
        self.bytes = self.TIMES * size + self.LEAST
        self.frames = frames

    def spend(self, count: int) -> None:
        """Count a read of `count` bytes. Raises TooLaborious."""
        self.bytes -= count
        self.labour(1)

    def labour(self, reads: int) -> None:
        """Count what takes as long as `reads` reads. Raises TooLaborious."""
        self.reads -= reads
        if self.reads < 0 or self.bytes < 0:
            raise TooLaborious("The image is damaged: its structure takes too many reads to follow")


class Source:
    """A file, or `part` of it, as bytes 0..size. Only the bytes that are read are in memory.

    `read` raises Cut where the bytes asked for are not all there, and TooLaborious beyond `work`, which is shared with
    all parts; without it nothing is counted.
    """

    def __init__(self, descriptor: int, start: int, size: int, work: Work | None = None) -> None:
        self.descriptor = descriptor
        self.start = start
        self.size = size
        self.work = work
        self._held = b""  # of the source, from _held_at on
        self._held_at = 0

    def read(self, offset: int, count: int) -> bytes:
        """Exactly `count` bytes at `offset`."""
        if not 0 <= offset <= self.size - count:
            raise Cut("The image is damaged: the file ends too soon")
        if self.work:
            self.work.spend(count)
        at = offset - self._held_at
        if at >= 0 and at + count <= len(self._held):
            return self._held[at : at + count]
        content = os.pread(self.descriptor, AHEAD if count <= SMALL else count, self.start + offset)
        if len(content) < count:
            raise Cut("The image is damaged: the file ends too soon")
        if count <= SMALL:
            self._held, self._held_at = content, offset
        return content[:count]

    def read_into(self, offset: int, place: memoryview) -> None:
        """Fill `place` with what is at `offset`, without a copy. Raises as `read` does."""
        if not 0 <= offset <= self.size - len(place):
            raise Cut("The image is damaged: the file ends too soon")
        if self.work:
            self.work.spend(len(place))
        os.lseek(self.descriptor, self.start + offset, os.SEEK_SET)  # the sandbox allows no preadv
        if os.readv(self.descriptor, [place]) < len(place):
            raise Cut("The image is damaged: the file ends too soon")

    @property
    def most_frames(self) -> int:
        """The most frames that a parser has to count."""
        return self.work.frames if self.work else MAX_FRAMES

    def head(self, count: int) -> bytes:
        """The first `count` bytes, or all there are."""
        return self.read(0, min(count, self.size))

    def number(self, offset: int, count: int, *, little: bool = False) -> int:
        """An unsigned number of `count` bytes."""
        return int.from_bytes(self.read(offset, count), "little" if little else "big")

    def part(self, offset: int, size: int) -> Source:
        """The `size` bytes at `offset` as a source of their own, cut at the end of this one."""
        offset = min(offset, self.size)
        return Source(self.descriptor, self.start + offset, max(0, min(size, self.size - offset)), self.work)

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

    def bound(self, *, frames: int = MAX_FRAMES, reads: int = Work.READS) -> Source:
        """The same, with a bound on the work that is spent on it."""
        return Source(self.descriptor, 0, self.size, Work(self.size, frames=frames, reads=reads))

    def __enter__(self) -> OpenedFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self.descriptor)
