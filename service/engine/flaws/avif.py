"""AVIF: an alpha item that states no size, which is that of the picture it belongs to (ISO/IEC 23000-22, 7.3.5.2); Exif
that is none.

libavif demands the property, so the picture's own is associated with the alpha item, and what follows lies further on.
It refuses a picture for its Exif, too, so such an item becomes one of a kind that decoders pass over.
"""

from __future__ import annotations

from service.engine.flaws import Mended
from service.engine.headers import av1_items, isobmff
from service.engine.headers.heif_items import Box, Items, boxes
from service.engine.headers.source import Source
from service.engine.job import Undecodable
from service.engine.stripping import Piece

_HEADER = 8  # bytes of a box before its content


def mend(source: Source, deep: bool) -> Mended:
    del deep
    meta, items = isobmff.items_of(source)
    lacking = {
        item
        for item, to in items.references.get(b"auxl", [])
        if items.primary in to and not any(box.kind == b"ispe" for box in items.properties.get(item, []))
    }
    broken = {item for item, kind in items.kinds.items() if kind == b"Exif" and not _is_exif(source, meta, items, item)}
    flaws = ["its alpha states no size"] * bool(lacking) + ["its Exif is damaged"] * bool(broken)
    if not flaws:
        return Mended()
    try:
        return Mended(flaws, _pieces(source, items, lacking, broken))
    except (Undecodable, OverflowError, ValueError):  # of a kind that is not mended here
        return Mended()


def _is_exif(source: Source, meta: Source, items: Items, item: int) -> bool:
    """Whether the item begins with where in it TIFF begins (ISO/IEC 23008-12, A.2.1), or is empty."""
    data = av1_items.beginning_of(item, source, meta, items.boxes.get(b"iloc"), items.boxes.get(b"idat"))
    begins = [at for mark in (b"II*\0", b"MM\0*") if (at := data[4:].find(mark)) >= 0]
    return not data or (len(data) >= 4 and min(begins, default=-1) == int.from_bytes(data[:4]))


def _pieces(source: Source, items: Items, lacking: set[int], broken: set[int]) -> list[Piece]:
    """The file with the association, and without the kind of what is broken. Raises Undecodable, and ValueError or
    OverflowError where offsets cannot be moved."""
    top = list(boxes(source))
    meta = next(box for box in top if box.kind == b"meta")
    if lacking and any(box.kind == b"moov" for box in top):
        raise ValueError("an animation says by itself where its frames lie")
    inside = source.part(meta.start, meta.end - meta.start)
    parts = list(boxes(inside, 4))
    properties = next(part for part in parts if part.kind == b"iprp")
    ipma = _associated(inside, properties, items, lacking)
    grown = sum(map(len, ipma)) - (properties.end - properties.start)
    body = [inside.read(0, 4)]
    for part in parts:
        content = inside.read(part.start, part.end - part.start)
        if part is properties:
            content = b"".join(ipma)
        elif part.kind == b"iloc":
            content = _moved(content, meta.end, grown)
        elif part.kind == b"iinf":
            content = _passed_over(content, broken)
        body.append((_HEADER + len(content)).to_bytes(4) + part.kind + content)
    whole = b"".join(body)
    before = source.part(0, meta.start - _HEADER)
    return [before, (_HEADER + len(whole)).to_bytes(4) + b"meta" + whole, source.part(meta.end, source.size)]


def _passed_over(content: bytes, broken: set[int]) -> bytes:
    """The content of an `iinf` box with another kind of these items (ISO/IEC 14496-12, 8.11.6)."""
    made, at = bytearray(content), 6 if not content[0] else 8
    while at + 12 <= len(content):
        id_size = 4 if content[at + 8] == 3 else 2
        if int.from_bytes(content[at + 12 : at + 12 + id_size]) in broken:
            kind = at + 12 + id_size + 2
            made[kind : kind + 4] = b"free"
        at += max(_HEADER, int.from_bytes(content[at : at + 4]))
    return bytes(made)


def _associated(meta: Source, properties: Box, items: Items, lacking: set[int]) -> list[bytes]:
    """The boxes of `iprp`, the picture's size first among the properties of the items that lack one."""
    limited = meta.part(0, properties.end)
    parts = list(boxes(limited, properties.start))
    container = next(part for part in parts if part.kind == b"ipco")
    kinds = [part.kind for part in boxes(limited.part(0, container.end), container.start)]
    said = items.properties.get(items.primary, [])
    size = next(box for box in said if box.kind == b"ispe")
    places = [part.start for part in boxes(limited.part(0, container.end), container.start)]
    index = places.index(size.start) + 1
    assert kinds[index - 1] == b"ispe"
    made = []
    for part in parts:
        content = limited.read(part.start, part.end - part.start)
        if part.kind == b"ipma":
            content = _with(content, lacking, index)
        made.append((_HEADER + len(content)).to_bytes(4) + part.kind + content)
    return made


def _with(content: bytes, lacking: set[int], index: int) -> bytes:
    """The content of an `ipma` box with one more property for each of these items."""
    id_size, index_size = 4 if content[0] else 2, 2 if content[3] & 1 else 1
    made, at = bytearray(content[:8]), 8
    for _ in range(int.from_bytes(content[4:8])):
        item, count = int.from_bytes(content[at : at + id_size]), content[at + id_size]
        own = content[at + id_size + 1 : at + id_size + 1 + count * index_size]
        more = index.to_bytes(index_size) if item in lacking else b""
        made += content[at : at + id_size] + bytes([count + bool(more)]) + more + own
        at += id_size + 1 + len(own)
    return bytes(made)


def _moved(content: bytes, end: int, by: int) -> bytes:
    """The content of an `iloc` box, places in the file from `end` on `by` bytes further."""
    version, sizes = content[0], int.from_bytes(content[4:6])
    offset_size, length_size, base_size = sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15
    index_size = sizes & 15 if version else 0
    wide = 4 if version == 2 else 2
    made, at = bytearray(content), 6 + wide
    for _ in range(int.from_bytes(content[6 : 6 + wide])):
        at += wide
        in_file = not version or not int.from_bytes(content[at : at + 2]) & 15
        at += 4 if version else 2
        base = int.from_bytes(content[at : at + base_size])
        if base and in_file:
            made[at : at + base_size] = (base + (by if base >= end else 0)).to_bytes(base_size)
        at += base_size
        pieces, at = int.from_bytes(content[at : at + 2]), at + 2
        for _ in range(pieces):
            place = at + index_size
            offset = int.from_bytes(content[place : place + offset_size])
            if in_file and not base and offset >= end:
                made[place : place + offset_size] = (offset + by).to_bytes(offset_size)
            at += index_size + offset_size + length_size
    return bytes(made)
