"""The tables of a track: where its samples lie, how long each is shown, where decoding can begin (ISO/IEC 14496-12,
8.6 and 8.7)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from service.engine.headers import tracks
from service.engine.headers.heif_items import Box
from service.engine.headers.source import Source
from service.engine.headers.tracks import Track
from service.engine.job import Undecodable
from service.engine.stripping import NotCopied

_ONE = 1 << 16  # of 16.16


@dataclass(frozen=True, slots=True)
class Samples:
    """`places` are (start, length) in the file, in the order of the samples. `spans` are (count, duration) in units of
    1/`scale` s, of equal durations together. `sync` are the numbers, from 1 on, of the samples that decoding can begin
    at, None where all are."""

    places: list[tuple[int, int]]
    spans: list[tuple[int, int]]
    scale: int
    sync: list[int] | None

    @property
    def duration(self) -> int:
        return sum(count * duration for count, duration in self.spans)


def samples(source: Source, track: Track) -> Samples:
    """Raises NotCopied for what is missing or not known here, Undecodable where a table is cut."""
    sizes = _sizes(source, _table(source, track, b"stsz"))
    places = _places(source, track, sizes)
    if _is_reordered(source, tracks.child(source, track.table, b"ctts")):
        raise NotCopied("its pictures are shown in another order than they are stored in")
    clock = tracks.child(source, track.media, b"mdhd")
    if clock is None:
        raise NotCopied("its track does not say when its pictures are shown")
    scale = source.number(clock.start + (20 if source.number(clock.start, 1) == 1 else 12), 4)
    spans = _spans(source, _table(source, track, b"stts"), len(places))
    if not scale or not any(duration for _, duration in spans):
        raise NotCopied("its pictures are shown for no time")
    return Samples(places, spans, scale, _sync(source, tracks.child(source, track.table, b"stss"), len(places)))


def repeats(source: Source, track: Track) -> bool | None:
    """Whether the edit list says that the track is repeated; None where there is none. Raises NotCopied where it says
    more than that."""
    if tracks.inside(source, track.box, b"edts") is None:
        return None
    edits = tracks.inside(source, track.box, b"edts", b"elst")
    if edits is None or source.number(edits.start + 4, 4) != 1:
        raise NotCopied("its track has an edit list of more than one part")
    wide = source.number(edits.start, 1) == 1
    at, count = (edits.start + 16, 8) if wide else (edits.start + 12, 4)
    if source.number(at, count) or source.number(at + count, 4) != _ONE:
        raise NotCopied("its track does not begin with its first picture, or has another speed")
    return source.number(edits.start + 3, 1) & 1 == 1


def _table(source: Source, track: Track, kind: bytes) -> Box:
    found = tracks.child(source, track.table, kind)
    if found is None:
        raise NotCopied(f"its track has no table {kind.decode()}")
    return found


def _rows(source: Source, box: Box, wide: str, *, head: int = 8) -> Iterator[tuple[int, ...]]:
    """The entries of a table, which stand behind `head` bytes, of the form `wide`; their number stands before them."""
    size = struct.calcsize(wide)
    count = min(source.number(box.start + head - 4, 4), (box.end - box.start - head) // size)
    return struct.iter_unpack(wide, source.read(box.start + head, max(0, count) * size))


def _sizes(source: Source, box: Box) -> list[int]:
    same, count = source.number(box.start + 4, 4), source.number(box.start + 8, 4)
    if count > source.most_frames:
        raise NotCopied("it has too many pictures")
    sizes = [same] * count if same else [size for (size,) in _rows(source, box, ">I", head=12)]
    if not sizes or len(sizes) != count:
        raise Undecodable("The AVIF is damaged: its track does not say how many bytes its pictures have")
    return sizes


def _places(source: Source, track: Track, sizes: list[int]) -> list[tuple[int, int]]:
    """The samples of each chunk follow each other (8.7.4, 8.7.5)."""
    runs = list(_rows(source, _table(source, track, b"stsc"), ">III"))
    if not runs or runs[0][0] != 1 or any(index != 1 for _, _, index in runs):
        raise NotCopied("its pictures are described in several ways")
    near = tracks.child(source, track.table, b"stco")
    offsets = _rows(source, near, ">I") if near else _rows(source, _table(source, track, b"co64"), ">Q")
    places, left, run = list[tuple[int, int]](), iter(sizes), 0
    for number, (start,) in enumerate(offsets, 1):
        while run + 1 < len(runs) and runs[run + 1][0] <= number:
            run += 1
        at = start
        for size in islice(left, runs[run][1]):
            places.append((at, size))
            at += size
        if len(places) == len(sizes):
            return places
    raise Undecodable("The AVIF is damaged: its track does not say where all of its pictures lie")


def _spans(source: Source, box: Box, count: int) -> list[tuple[int, int]]:
    """As `movie.delays` reads them: the last duration holds for all that are left."""
    rows = list(_rows(source, box, ">II"))
    spans, left = list[tuple[int, int]](), count
    for number, duration in [*rows, (count, rows[-1][1] if rows else 0)]:
        taken = min(number, left)
        left -= taken
        if taken and spans and spans[-1][1] == duration:
            spans[-1] = spans[-1][0] + taken, duration
        elif taken:
            spans.append((taken, duration))
    return spans


def _is_reordered(source: Source, box: Box | None) -> bool:
    return box is not None and any(offset for _, offset in _rows(source, box, ">II"))


def _sync(source: Source, box: Box | None, count: int) -> list[int] | None:
    if box is None:
        return None
    numbers = sorted({number for (number,) in _rows(source, box, ">I") if 0 < number <= count})
    return None if len(numbers) == count else numbers
