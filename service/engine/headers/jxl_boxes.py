"""The container of JPEG XL (ISO/IEC 18181-2): boxes, and the codestream that one or several of them hold."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from typing import NamedTuple

from service.engine.headers.source import Cut, Source
from service.engine.job import Undecodable

SIGNATURE = b"\0\0\0\x0cJXL \r\n\x87\n"
BARE = b"\xff\x0a"
"""What a codestream without a container begins with."""

MAX_BOXES = 10_000
RECONSTRUCTION = b"jbrd"
"""The box with what makes a JPEG, byte by byte, of the codestream."""


class Box(NamedTuple):
    """A box's four-letter kind, and its content from `start` to `end`."""

    kind: bytes
    start: int
    end: int


class Joined(Source):
    """Several parts of a source as one, in their order."""

    def __init__(self, source: Source, parts: list[tuple[int, int]]) -> None:
        self._starts, size = list[int](), 0
        for start, end in parts:
            self._starts.append(size)
            size += end - start
        super().__init__(source.descriptor, source.start, size, source.work)
        self._source, self._parts = source, parts

    def read(self, offset: int, count: int) -> bytes:
        if not 0 <= offset <= self.size - count:
            raise Cut("The JPEG XL is damaged: the file ends too soon")
        content = b""
        index = bisect_right(self._starts, offset) - 1
        while count > len(content):
            start, end = self._parts[index]
            at = start + offset + len(content) - self._starts[index]
            content += self._source.read(at, min(end - at, count - len(content)))
            index += 1
        return content


def boxes(source: Source) -> Iterator[Box]:
    """Every box; the last may be cut by the end of the file. Raises Undecodable."""
    offset = 0
    for _ in range(MAX_BOXES):
        if offset + 8 > source.size:
            return
        start = source.read(offset, 8)
        size, content = int.from_bytes(start[:4]), offset + 8
        if size == 1:
            size, content = source.number(content, 8), content + 8
        end = offset + size if size else source.size  # 0: the last box, to the end
        if end < content:
            raise Undecodable("The JPEG XL is damaged: a box is smaller than its header")
        yield Box(start[4:], content, end)
        offset = end
    raise Undecodable(f"The JPEG XL is damaged: it has more than {MAX_BOXES} boxes")


def codestream(source: Source) -> Source:
    """The codestream: the file itself, the content of `jxlc`, or the contents of all `jxlp`. Raises Undecodable."""
    if source.head(2) == BARE:
        return source
    parts = []
    for box in boxes(source):
        if box.kind in (b"jxlc", b"jxlp"):
            start = box.start + (4 if box.kind == b"jxlp" else 0)  # the number of the part
            parts.append((start, max(start, min(box.end, source.size))))
        if box.kind == b"jxlc":
            break
    parts = [(start, end) for start, end in parts if end > start]
    if not parts:
        raise Undecodable("The JPEG XL is damaged: there is no image in it")
    return Joined(source, parts)


def is_reversible(source: Source) -> bool:
    """Whether the file says that a JPEG can be made of it again."""
    if source.head(2) == BARE:
        return False
    return any(box.kind == RECONSTRUCTION for box in boxes(source))
