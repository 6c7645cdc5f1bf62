"""A moving AVIF taken apart into its boxes, to be changed and put together again (ISO/IEC 14496-12).

Its data may move: the places of items and of chunks are those of the first `mdat`, and are set anew.
"""

from __future__ import annotations

import io
import itertools
import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from PIL import Image, ImageSequence

HEADS = {
    **dict.fromkeys((b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"dinf", b"tref", b"iprp", b"ipco"), 0),
    **{b"meta": 4, b"stsd": 8, b"dref": 8, b"av01": 78},
}
"""Bytes before the boxes in a box, by its kind."""


@dataclass
class Box:
    """`content` is what stands before the `parts`, or all of it."""

    kind: bytes
    content: bytes = b""
    parts: list[Box] = field(default_factory=list)

    def find(self, path: str) -> Box:
        """The first box at this path: `moov/trak/mdia`, or `moov/trak:1/mdia` for the second track."""
        name, _, rest = path.partition("/")
        kind, _, index = name.partition(":")
        found = [part for part in self.parts if part.kind == kind.encode()][int(index or 0)]
        return found.find(rest) if rest else found

    def put(self, at: int, content: bytes) -> None:
        """Write over the content at `at`."""
        self.content = self.content[:at] + content + self.content[at + len(content) :]

    def without(self, kind: bytes) -> None:
        self.parts = [part for part in self.parts if part.kind != kind]

    def written(self) -> bytes:
        whole = self.content + b"".join(part.written() for part in self.parts)
        return struct.pack(">I4s", len(whole) + 8, self.kind) + whole if self.kind else whole


def parsed(data: bytes) -> Box:
    return Box(b"", b"", list(_boxes(data)))


def _boxes(data: bytes) -> Iterator[Box]:
    at = 0
    while at < len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        content = data[at + 8 : at + size]
        head = HEADS.get(kind, len(content))
        yield Box(kind, content[:head], list(_boxes(content[head:])))
        at += size


def changed(data: bytes, change: Callable[[Box], None]) -> bytes:
    """The file after `change` of its boxes, with its data where items and tracks look for them."""
    before, whole = _data_begin(parsed(data)), parsed(data)
    change(whole)
    _move(whole, _data_begin(whole) - before)
    return whole.written()


def _move(box: Box, count: int) -> None:
    """Add to the places in `iloc` of version 0 with one extent each, and in `stco`."""
    for part in box.parts:
        if part.kind in (b"iloc", b"stco"):
            at, step = (14, 14) if part.kind == b"iloc" else (8, 4)
            for place in range(at, len(part.content), step):
                (before,) = struct.unpack_from(">I", part.content, place)
                part.put(place, struct.pack(">I", before + count))
        _move(part, count)


def shown(data: bytes) -> list[tuple[bytes, int]]:
    """The pixels of every frame, and its duration in milliseconds, as Pillow has them."""
    with Image.open(io.BytesIO(data)) as file:
        frames = ImageSequence.Iterator(file)
        return [(frame.convert("RGBA").tobytes(), round(frame.info["duration"])) for frame in frames]


def samples_of(data: bytes, track: int = 0) -> list[bytes]:
    """The coded data of each picture of a track."""
    table = parsed(data).find(f"moov/trak:{track}/mdia/minf/stbl")
    same, count = struct.unpack_from(">II", table.find("stsz").content, 4)
    sizes = [same] * count if same else list(struct.unpack_from(f">{count}I", table.find("stsz").content, 12))
    runs = list(struct.iter_unpack(">III", table.find("stsc").content[8:]))
    found: list[bytes] = []
    for number, (at,) in enumerate(struct.iter_unpack(">I", table.find("stco").content[8:]), 1):
        count = next(each for first, each, _ in reversed(runs) if first <= number)
        lengths = sizes[len(found) : len(found) + count]
        ends = itertools.accumulate(lengths, initial=at)
        found += [data[start : start + length] for start, length in zip(ends, lengths, strict=False)]
    return found


def with_samples(data: bytes, samples: Sequence[bytes], track: int = 0) -> bytes:
    """The file with other data of a track, in one chunk behind all the others."""

    def change(whole: Box) -> None:
        table = whole.find(f"moov/trak:{track}/mdia/minf/stbl")
        table.find("stsz").content = struct.pack(f">3I{len(samples)}I", 0, 0, len(samples), *map(len, samples))
        table.find("stsc").content = struct.pack(">5I", 0, 1, 1, len(samples), 1)
        table.find("stco").content = struct.pack(">3I", 0, 1, 0)
        whole.parts.append(Box(b"mdat", b"".join(samples)))

    made = parsed(changed(data, change))
    made.find(f"moov/trak:{track}/mdia/minf/stbl/stco").put(
        8, struct.pack(">I", len(made.written()) - sum(map(len, samples)))
    )
    return made.written()


def units(sample: bytes) -> list[tuple[int, bytes]]:
    """Kind and content of each unit (AV1 specification, 5.3), all of which say how long they are."""
    found, at = [], 0
    while at < len(sample):
        kind, extended = sample[at] >> 3 & 15, sample[at] >> 2 & 1
        size, shift, at = 0, 0, at + 1 + extended
        while True:
            size, shift, at = size | (sample[at] & 127) << shift, shift + 7, at + 1
            if not sample[at - 1] & 128:
                break
        found.append((kind, sample[at : at + size]))
        at += size
    return found


def _data_begin(whole: Box) -> int:
    """Where the content of the first `mdat` begins."""
    at = 0
    for part in whole.parts:
        if part.kind == b"mdat":
            return at + 8
        at += len(part.written())
    raise AssertionError("there are no data")
