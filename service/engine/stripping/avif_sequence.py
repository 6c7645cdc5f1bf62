"""A moving AVIF with its coded pictures, what says their colour, and when they are shown; nothing of all else.

The frames are copied as they are stored, but for units that decoding does not need. What a track or an item refers to
is all of the data that there are in the copy. A file whose structure is not known here is not copied.
"""

from __future__ import annotations

import itertools
import struct
from collections.abc import Callable, Iterator

from service.engine.headers import av1, isobmff, tracks
from service.engine.headers.colr import Coded
from service.engine.headers.heif_items import Box, boxes
from service.engine.headers.movie import CODEC, Movie
from service.engine.headers.source import Source
from service.engine.headers.tracks import Track
from service.engine.job import Undecodable
from service.engine.stripping import NotCopied, Pieces, av1_data, movie_writing
from service.engine.stripping.avif_items import held
from service.engine.stripping.avif_properties import alpha_name, in_place_of_profile, to_keep
from service.engine.stripping.boxes import Item
from service.engine.stripping.heif_writing import Held, Property, box, meta
from service.engine.stripping.movie_writing import FOREVER, Picture
from service.engine.stripping.sample_tables import Samples, repeats, samples

_BRANDS = (b"avis", b"avif", b"msf1", b"mif1", b"miaf", b"iso8", b"MA1B", b"MA1A")
"""What a file may say that it is, in this order; the first is what is shown of it."""

_OF_STILLS = (b"avif", b"mif1")
_FRAGMENTS = b"moof"
_CONFIGURATION = b"av1C"
_ENTRY = (_CONFIGURATION, b"colr", b"pasp", b"clli", b"mdcv", b"amve", b"irot", b"imir", b"clap", b"auxi", b"ccst")
"""What a sample entry may have that stays; of `clap` a copy would hold what is cut off."""

_PLAIN = ([1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30], [1 << 8, 0, 0, 0, 1 << 8, 0, 0, 0, 1 << 6])
"""The matrix of a track that is shown as it is; the same with bytes reversed, as early versions of libavif wrote it."""
_MOST_PARTS = 64  # of an entry that are looked at
_LONGEST_TYPE = 256  # bytes of `ftyp` that are looked at
_LONGEST_NEAR, _LONGEST = (1 << 32) - 2, (1 << 64) - 2  # in four bytes and in eight; one more stands for ever
_HEADER = 8


def pieces(source: Source, moving: Movie, keep_icc: bool) -> Pieces:
    """`moving` is what the file shows. Raises NotCopied where its structure is not known here, Undecodable."""
    shown = _tracks(source)
    tables = [samples(source, track) for track in shown]
    _check(source, tables)
    coded = [[av1_data.minimal(source.read(*place)) for place in table.places] for table in tables]
    pictures = [_picture(source, *one, shown, keep_icc) for one in zip(shown, tables, coded, strict=True)]
    once, repeated = tables[0].duration, pictures[0].repeats
    whole = (moving.plays * once or FOREVER) if repeated else once
    version = source.number(_child(source, _movie(source), b"mvhd").start, 1)
    wide = version == 1 or max(whole, once) > _LONGEST_NEAR
    if max(whole, once) > _LONGEST:
        raise NotCopied("it runs for longer than a file can say")
    still = None
    if isobmff.items_of(source)[1].boxes:  # of a file without a still picture these are its tracks
        still = held(source, keep_icc, [data[0] for data in coded])
    chunks = sorted(range(len(shown)), key=lambda index: tables[index].places[0])
    yield from _laid_out(
        _file_type(source, still is not None),
        still,
        {index: coded[index] for index in chunks},
        lambda places: movie_writing.movie(pictures, places, whole, wide=wide),
    )


def _laid_out(
    begin: bytes,
    still: tuple[Item, list[Held]] | None,
    coded: dict[int, list[bytes]],
    movie: Callable[[list[int]], bytes],
) -> Iterator[bytes]:
    """The boxes, the data of items before those of tracks; an item that is the first sample of a track lies there.

    `coded` are the samples by track, in the order that they are written in; `movie` makes `moov` of where they begin.
    """
    primary, items = still or (Item(0), [])
    numbers = {item.number: number for number, (item, _, _) in enumerate(items, 1)}
    firsts = {track[0]: index for index, track in coded.items()}

    def head(of_items: list[int], of_tracks: list[int]) -> bytes:
        return begin + (meta(items, numbers, primary, of_items) if items else b"") + movie(of_tracks)

    at = len(head([0] * len(items), [0] * len(coded))) + _HEADER
    own, tracked = dict[int, int](), dict[int, int]()
    for index, (_, _, data) in enumerate(items):
        if data not in firsts:
            own[index], at = at, at + len(data)
    for index, track in coded.items():
        tracked[index], at = at, at + sum(map(len, track))
    if at > _LONGEST_NEAR:
        raise NotCopied("it has more bytes than its boxes can count")
    of_items = [own[index] if index in own else tracked[firsts[data]] for index, (_, _, data) in enumerate(items)]
    before = head(of_items, [tracked[index] for index in range(len(coded))])
    yield before + struct.pack(">I4s", at - len(before), b"mdat")
    yield from (items[index][2] for index in own)
    yield from itertools.chain(*coded.values())


def _tracks(source: Source) -> list[Track]:
    """The track of pictures, and that of their transparency."""
    moov = _movie(source)
    if any(part.kind == _FRAGMENTS for part in boxes(source)) or tracks.child(source, moov, b"mvex"):
        raise NotCopied("its pictures lie in fragments")
    shown = [track for track in tracks.tracks(source) if track.codec == CODEC]
    others = list(tracks.children(source, moov, b"trak"))
    if len(others) >= tracks.MOST:
        raise NotCopied("it has too many tracks")
    belonging = [box.start for box in others if shown[0].number in tracks.references(source, box, b"auxl")]
    if belonging[:1] != [track.box.start for track in shown[1:]] or len({one.number for one in shown}) < len(shown):
        raise NotCopied("a track belongs to its pictures in a way that is not known")
    return shown


def _check(source: Source, tables: list[Samples]) -> None:
    if sum(length for table in tables for _, length in table.places) > source.size:
        raise NotCopied("its pictures share bytes")
    if any((table.spans, table.scale) != (tables[0].spans, tables[0].scale) for table in tables):
        raise NotCopied("its transparency is not shown as long as its pictures are")


def _picture(
    source: Source, track: Track, table: Samples, coded: list[bytes], shown: list[Track], keep_icc: bool
) -> Picture:
    headers = [av1_data.sequence_header(one) for one in coded]
    if not headers[0] or len({header for header in headers if header}) > 1:
        raise NotCopied("its pictures have no sequence header, or several")
    head = _child(source, track.box, b"tkhd")
    at = head.start + (52 if source.number(head.start, 1) == 1 else 40)
    *matrix, width, height = (source.number(at + 4 * index, 4) for index in range(11))
    if matrix not in _PLAIN:
        raise NotCopied("its track is turned, moved or scaled")
    return Picture(
        source.read(_child(source, track.media, b"hdlr").start + 8, 4),
        source.number(head.start, 4) & 7,  # whether it is enabled, and where it is shown
        (width >> 16, height >> 16),
        track.size,
        _properties(source, track, coded[0], keep_icc),
        [(kind, number) for number, other in enumerate(shown, 1) for kind in _references(source, track, other)],
        table,
        list(map(len, coded)),
        repeats(source, track),
    )


def _references(source: Source, track: Track, other: Track) -> Iterator[bytes]:
    for kind in (b"auxl", b"prem"):
        if other.number in tracks.references(source, track.box, kind):
            yield kind


def _properties(source: Source, track: Track, first: bytes, keep_icc: bool) -> list[Property]:
    """Those of the sample entry, each kind once."""
    described = _child(source, track.table, b"stsd")
    if source.number(described.start + 4, 4) != 1:
        raise NotCopied("its pictures are described in several ways")
    entry = next(iter(boxes(source.part(0, described.end), described.start + 8)))
    parts = list(itertools.islice(boxes(source.part(0, entry.end), entry.start + tracks.ENTRY), _MOST_PARTS + 1))
    stated = [part for part in parts if part.kind in _ENTRY]
    if len(parts) > _MOST_PARTS or any(part.end - part.start > tracks.LONGEST for part in stated):
        raise NotCopied("its pictures are described by too much")
    before = dict[bytes, tuple[bytes, bytes, bool]]()
    for part in stated:
        content = source.read(part.start, part.end - part.start)
        before.setdefault(part.kind + (content[:4] if part.kind == b"colr" else b""), (part.kind, content, False))
    if _CONFIGURATION not in before:
        raise NotCopied("the configuration of its decoder is missing")
    kept = [one for each in before.values() if (one := _property(*each, keep_icc))]
    return in_place_of_profile(before.values(), kept, _coded(kept, first))


def _property(kind: bytes, content: bytes, must: bool, keep_icc: bool) -> Property | None:
    if kind == b"auxi":
        if name := alpha_name(content):
            return kind, name, must
        raise NotCopied("a track belongs to its pictures that is no transparency")
    if kind == b"ccst":  # what pictures refer to (ISO/IEC 23008-12, 7.2.3.2), without what is reserved
        return kind, bytes(4) + bytes(each & 0xFC for each in content[4:5]) + bytes(3), must
    return to_keep(kind, content, must, keep_icc)


def _coded(kept: list[Property], first: bytes) -> Coded | None:
    """The colour by numbers: that of the entry, or of the pictures themselves (AV1 Image File Format, 2.2.1)."""
    stated = next((content for kind, content, _ in kept if kind == b"colr" and content[:4] == b"nclx"), None)
    if stated:
        primaries, transfer, matrix = struct.unpack(">3H", stated[4:10])
        return Coded(primaries, transfer, matrix, stated[10] >> 7 == 1)
    said = av1.colour(first)
    return Coded(*said) if said else None


def _file_type(source: Source, has_still: bool) -> bytes:
    """Of the brands that the file has those that are true of the copy."""
    content = source.part(8, source.number(0, 4) - 8).head(_LONGEST_TYPE)
    said = {content[at : at + 4] for at in range(0, len(content), 4) if at != 4}
    brands = [one for one in _BRANDS if one == _BRANDS[0] or (one in said and (has_still or one not in _OF_STILLS))]
    return box(b"ftyp", _BRANDS[0] + bytes(4) + b"".join(brands))


def _movie(source: Source) -> Box:
    return _child(source, Box(b"", 0, source.size), b"moov")


def _child(source: Source, parent: Box, kind: bytes) -> Box:
    found = tracks.child(source, parent, kind)
    if found is None and parent.kind:  # a decoder may do without
        raise NotCopied(f"it has no box {kind.decode()}")
    if found is None or found.end > parent.end:
        raise Undecodable(f"The AVIF is damaged: it has no whole box {kind.decode()}")
    return found
