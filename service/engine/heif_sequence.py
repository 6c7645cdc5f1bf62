"""A moving HEIC without a still picture, as the HEIC of its first one, which libheif reads."""

from __future__ import annotations

import struct

from service.engine.headers import isobmff, tracks
from service.engine.headers.source import Source
from service.engine.headers.tracks import Track
from service.engine.job import Undecodable
from service.engine.stripping.boxes import Item
from service.engine.stripping.heif_writing import Property, box, meta

_FILE_TYPE = b"heic\0\0\0\0mif1heic"


def is_one(source: Source, _frame: int = 0) -> bool:
    """Return True if the picture is that of a track. Raises Undecodable."""
    return bool(isobmff.items_of(source)[1].sizes)


def still(source: Source) -> bytes:
    """Return a HEIC of the first picture, with its alpha. Raises Undecodable."""
    found = tracks.tracks(source)
    held = [(_item(track), _properties(source, track), source.read(*track.sample)) for track in found]
    numbers, primary = {track.number: number for number, track in enumerate(found, 1)}, held[0][0]
    begin, data = box(b"ftyp", _FILE_TYPE), [data for _, _, data in held]
    at = len(begin) + len(meta(held, numbers, primary, [0] * len(held))) + 8
    places = [at + sum(map(len, data[:number])) for number in range(len(data))]
    return begin + meta(held, numbers, primary, places) + box(b"mdat", b"".join(data))


def _item(track: Track) -> Item:
    return Item(track.number, track.codec, auxiliary_of=list(track.auxiliary_of))


def _properties(source: Source, track: Track) -> list[Property]:
    """What the sample entry says, and what stands elsewhere in a track: size, turn, and that it is an alpha."""
    found = [(b"ispe", struct.pack(">III", 0, *track.size), False)]
    for part in track.properties:
        if part.end - part.start > tracks.LONGEST:
            raise Undecodable("The HEIF file is damaged: a box of its track is too long")
        found.append((part.kind, source.read(part.start, part.end - part.start), part.kind != b"colr"))
    if track.turn:
        found.append((b"irot", bytes((track.turn,)), True))
    if track.auxiliary_of:
        found.append((b"auxC", bytes(4) + isobmff.ALPHA[0] + b"\0", True))
    return found
