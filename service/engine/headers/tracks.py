"""Moving AVIF, and moving HEIC without a still picture: the tracks of `moov` (ISO/IEC 14496-12, 8; 23008-12, 7).

The first sample of the first track of pictures is taken for the primary item, and that of the track with its
transparency for its alpha, with the boxes of their sample entries as properties.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from service.engine.headers.heif_items import Box, Items, boxes
from service.engine.headers.source import Source

ENTRIES = {b"hvc1": b"hvc1", b"hev1": b"hvc1", b"av01": b"av01"}
"""By kind of sample entry the kind of item that holds the same."""
_PICTURES, _AUXILIARY = (b"pict", b"vide"), b"auxv"
LONGEST = 2**20  # bytes of one of their boxes: a profile
MOST = 16  # tracks that are looked at
ENTRY = 78  # bytes of a VisualSampleEntry before its boxes (14496-12, 12.1.3.2)
_STATED = {b"hvc1": (b"hvcC", b"colr", b"clap"), b"av01": (b"av1C", b"colr", b"clap", b"irot", b"imir")}
"""By codec the boxes of a sample entry that are properties."""

_ONE, _MINUS_ONE = 1 << 16, (1 << 32) - (1 << 16)  # of 16.16
_TURNS = {(0, _ONE, _MINUS_ONE, 0): 3, (_MINUS_ONE, 0, 0, _MINUS_ONE): 2, (0, _MINUS_ONE, _ONE, 0): 1}
"""Quarters anticlockwise by a, b, c and d of the matrix of `tkhd` (14496-12, 8.3.2)."""


@dataclass(frozen=True, slots=True)
class Track:
    """`sample` is where the first picture lies in the file, and how many bytes it has; `box`, `media` and `table` are
    the track, its `mdia` and its `stbl`. An auxiliary track belongs to others, to 0, which none is, where it does not
    say so."""

    number: int
    codec: bytes
    box: Box
    media: Box
    table: Box
    size: tuple[int, int]
    turn: int
    properties: list[Box]
    sample: tuple[int, int]
    auxiliary_of: tuple[int, ...] = ()


def tracks(source: Source) -> list[Track]:
    """Return the track whose first sample is the picture, and that of its alpha; nothing where there is none.

    Raises Undecodable.
    """
    moov = child(source, Box(b"", 0, source.size), b"moov")
    found = [track for box in children(source, moov, b"trak") if (track := _track(source, box))] if moov else []
    shown = next((track for track in found if not track.auxiliary_of), None)
    if shown is None:
        return []
    return [shown, *[track for track in found if shown.number in track.auxiliary_of][:1]]


def items(found: list[Track]) -> Items:
    """What `heif_items.read` says of still pictures; these boxes lie in the file itself."""
    made = Items(primary=found[0].number)
    for track in found:
        made.kinds[track.number] = track.codec
        made.properties[track.number] = track.properties
        made.sizes[track.number] = track.size
        made.turns[track.number] = track.turn
    made.alphas = [track.number for track in found[1:]]
    return made


def _track(source: Source, trak: Box) -> Track | None:
    """None for sound, text, other codecs and tracks without a sample."""
    head, media = child(source, trak, b"tkhd"), child(source, trak, b"mdia")
    handler = child(source, media, b"hdlr") if media else None
    table = inside(source, media, b"minf", b"stbl")
    if head is None or media is None or handler is None or table is None:
        return None
    kind = source.read(handler.start + 8, 4)
    described = child(source, table, b"stsd")
    entry = next(iter(boxes(source.part(0, described.end), described.start + 8)), None) if described else None
    if entry is None or entry.kind not in ENTRIES or kind not in (*_PICTURES, _AUXILIARY):
        return None
    place = _first_sample(source, table)
    number = source.number(head.start + (20 if source.number(head.start, 1) == 1 else 12), 4)
    if place is None or number == 0:  # which is no number of a track (8.3.2.3); decoders pass over it
        return None
    parts = list(itertools.islice(boxes(source.part(0, entry.end), entry.start + ENTRY), 64))
    wide = source.number(head.start, 1) == 1
    matrix = head.start + (52 if wide else 40)
    a, b, c, d = (source.number(matrix + at, 4) for at in (0, 4, 12, 16))
    size = source.number(entry.start + 24, 2), source.number(entry.start + 26, 2)
    of = (references(source, trak, b"auxl") or (0,)) if kind == _AUXILIARY else ()
    codec = ENTRIES[entry.kind]
    properties = [part for part in parts if part.kind in _STATED[codec]]
    return Track(number, codec, trak, media, table, size, _TURNS.get((a, b, c, d), 0), properties, place, of)


def _first_sample(source: Source, table: Box) -> tuple[int, int] | None:
    """The first of the first chunk (8.7.3, 8.7.5)."""
    sizes = child(source, table, b"stsz")
    near, far = child(source, table, b"stco"), child(source, table, b"co64")
    offsets = near or far
    if sizes is None or offsets is None:
        return None
    if not source.number(sizes.start + 8, 4) or not source.number(offsets.start + 4, 4):
        return None
    size = source.number(sizes.start + 4, 4) or source.number(sizes.start + 12, 4)
    return source.number(offsets.start + 8, 4 if near else 8), size


def references(source: Source, trak: Box, kind: bytes) -> tuple[int, ...]:
    """The tracks that a track refers to in this way."""
    found = inside(source, trak, b"tref", kind)
    if found is None:
        return ()
    return tuple(source.number(at, 4) for at in range(found.start, min(found.end, found.start + 4 * MOST) - 3, 4))


def inside(source: Source, box: Box | None, *path: bytes) -> Box | None:
    for kind in path:
        box = child(source, box, kind) if box else None
    return box


def child(source: Source, parent: Box, kind: bytes) -> Box | None:
    return next(iter(children(source, parent, kind)), None)


def children(source: Source, parent: Box, kind: bytes) -> Iterator[Box]:
    within = source.part(0, parent.end)
    return itertools.islice((box for box in boxes(within, parent.start) if box.kind == kind), MOST)
