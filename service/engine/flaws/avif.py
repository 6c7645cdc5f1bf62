"""AVIF: an alpha item that states no size, which is that of the picture it belongs to (ISO/IEC 23000-22, 7.3.5.2);
several `ipma` boxes of one version and flags (ISO/IEC 14496-12:2022, 8.11.14.1), as early encoders wrote; Exif that is
none.

libavif demands the property, so the picture's own is associated with the alpha item, and what follows lies further on.
It demands one box, so they are joined. It refuses a picture for its Exif, too, so such an item becomes one of a kind
that decoders pass over.
"""

from __future__ import annotations

from collections.abc import Iterator

from service.engine.flaws import Mended
from service.engine.headers import av1_items, isobmff
from service.engine.headers.heif_items import MAX_ITEMS, Box, Items, boxes
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
    flaws += ["its properties are associated by several boxes where one is allowed"] * _is_split(meta)
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


def _is_split(meta: Source) -> bool:
    """Whether several `ipma` boxes have the same version and flags."""
    within = (boxes(meta.part(0, part.end), part.start) for part in boxes(meta, 4) if part.kind == b"iprp")
    heads = [meta.read(part.start, 4) for parts in within for part in parts if part.kind == b"ipma"]
    return len(set(heads)) < len(heads)


def _pieces(source: Source, items: Items, lacking: set[int], broken: set[int]) -> list[Piece]:
    """The file with the association, and without the kind of what is broken. Raises Undecodable, and ValueError or
    OverflowError where offsets cannot be moved."""
    top = list(boxes(source))
    meta = next(box for box in top if box.kind == b"meta")
    inside = source.part(meta.start, meta.end - meta.start)
    parts = list(boxes(inside, 4))
    properties = next(part for part in parts if part.kind == b"iprp")
    ipma = _associated(inside, properties, items, lacking)
    grown = sum(map(len, ipma)) - (properties.end - properties.start)
    if grown and any(box.kind == b"moov" for box in top):
        raise ValueError("an animation says by itself where its frames lie")
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
    """The boxes of `iprp`, one `ipma` for each version and flags, the picture's size first among the properties of the
    items that lack one."""
    limited = meta.part(0, properties.end)
    parts = list(boxes(limited, properties.start))
    index = _index_of_size(limited, parts, items) if lacking else 0
    associated: dict[bytes, dict[int, bytes]] = {}
    for part in parts:
        if part.kind == b"ipma":
            content = limited.read(part.start, part.end - part.start)
            by_item = associated.setdefault(content[:4], {})
            for item, indices in _entries(content):
                by_item[item] = by_item.get(item, b"") + indices
    made = [(part.kind, limited.read(part.start, part.end - part.start)) for part in parts if part.kind != b"ipma"]
    made += [(b"ipma", _association(head, by_item, lacking, index)) for head, by_item in associated.items()]
    return [(_HEADER + len(content)).to_bytes(4) + kind + content for kind, content in made]


def _index_of_size(meta: Source, parts: list[Box], items: Items) -> int:
    """Which property of `ipco`, counted from 1, is the size of the picture."""
    container = next(part for part in parts if part.kind == b"ipco")
    places = [part.start for part in boxes(meta.part(0, container.end), container.start)]
    size = next(box for box in items.properties.get(items.primary, []) if box.kind == b"ispe")
    return places.index(size.start) + 1


def _entries(content: bytes) -> Iterator[tuple[int, bytes]]:
    """The items of an `ipma` box, and the indices of their properties as they are stored."""
    id_size, index_size = _widths(content)
    at = 8
    for _ in range(min(int.from_bytes(content[4:8]), MAX_ITEMS)):
        behind = at + id_size + 1
        end = behind + content[at + id_size] * index_size
        yield int.from_bytes(content[at : at + id_size]), content[behind:end]
        at = end


def _association(head: bytes, by_item: dict[int, bytes], lacking: set[int], index: int) -> bytes:
    """The content of an `ipma` box, its items in their order. Raises ValueError where an item has too many."""
    id_size, index_size = _widths(head)
    made = bytearray(head + len(by_item).to_bytes(4))
    for item, indices in sorted(by_item.items()):
        whole = index.to_bytes(index_size) + indices if item in lacking else indices
        made += item.to_bytes(id_size) + bytes([len(whole) // index_size]) + whole
    return bytes(made)


def _widths(head: bytes) -> tuple[int, int]:
    """Bytes of an item's number and of a property's index."""
    return 4 if head[0] else 2, 2 if head[3] & 1 else 1


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
