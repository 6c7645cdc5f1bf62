"""AVIF and HEIC: items in boxes (ISO/IEC 14496-12, 23008-12). The picture is the primary item.

libheif applies `clap`, `irot` and `imir` while it decodes (of AVIF our reader does it), so that width and height are
given here as they are after that, and orientation is 1. An EXIF orientation is only informative here, by the standard.
Image sequences count as their still picture, which is all that libheif 1.15 reads: frames are 1.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from service.engine.headers import av1_items, clap, hevc
from service.engine.headers.change import Change
from service.engine.headers.source import Cut, Source
from service.engine.job import Header, NotAnImage, Undecodable

SIGNATURE_AT_4 = b"ftyp"
MAX_BOXES = 10_000
MAX_ITEMS = 65_536
_LONGEST_SETS = 64 * 1024
MAX_META = 512 * 1024  # a grid of a thousand tiles takes a tenth of it

BRANDS = {b"avif", b"avis", b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"miaf"}
FORMATS = {b"av01": "avif", b"hvc1": "heic"}
DERIVED = (b"grid", b"iden", b"iovl")  # made from other items, which tell the codec
ALPHA = (b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha", b"urn:mpeg:hevc:2015:auxid:1")


class Box(NamedTuple):
    """A box's four-letter kind, and its content from `start` to `end`. A reader must know an `essential` property."""

    kind: bytes
    start: int
    end: int
    essential: bool = False


@dataclass(slots=True)
class Items:
    """What the `meta` box tells: kinds by item, properties by item in the order they apply, references by kind, and
    where in it the places of items stand, and data of theirs may lie."""

    primary: int = 0
    kinds: dict[int, bytes] = field(default_factory=dict)
    properties: dict[int, list[Box]] = field(default_factory=dict)
    references: dict[bytes, list[tuple[int, list[int]]]] = field(default_factory=dict)
    boxes: dict[bytes, int] = field(default_factory=dict)


def _is_kin(source: Source) -> bool:
    """Whether the file type box names a brand of still pictures."""
    kind = source.part(8, source.number(0, 4) - 8).head(256)
    return not BRANDS.isdisjoint(kind[i : i + 4] for i in range(0, len(kind), 4) if i != 4)


def begins(head: bytes, source: Source) -> bool:
    return head[4:8] == SIGNATURE_AT_4 and _is_kin(source)


def header(source: Source) -> Header:
    inside, items = items_of(source)
    codec = _codec(items)
    if not codec:
        raise Undecodable("The HEIF file is damaged: it does not say what its picture is")
    if codec not in FORMATS:
        raise NotAnImage("HEIF files are taken with AV1 (avif) or HEVC (heic) inside, which this one has not")
    width, height = _size(inside, items)
    if codec == b"av01":
        whole = _said(inside, items, items.primary)  # as large at most is an alpha that states no size
        said = {item: _said(inside, items, item) for item, kind in items.kinds.items() if kind == codec}
        said = {item: whole if size == (0, 0) else size for item, size in said.items()}
        av1_items.check(source, inside, said, items.boxes.get(b"iloc"), items.boxes.get(b"idat"))
    else:
        _check_hevc(inside, items)
    return Header(FORMATS[codec], width, height, alpha=_has_alpha(inside, items))


def items_of(source: Source) -> tuple[Source, Items]:
    """The content of the `meta` box, and what it tells. Raises Undecodable."""
    meta = next((box for box in boxes(source) if box.kind == b"meta"), None)
    if meta is None or meta.end - meta.start > MAX_META:
        raise Undecodable("The HEIF file is damaged: it has no still picture")
    if meta.end > source.size:
        raise Cut("The HEIF file is damaged: the file ends inside its header")
    inside = source.part(meta.start, meta.end - meta.start)
    return inside, _items(inside)


def missing(source: Source) -> str | None:
    try:
        cut = any(box.end > source.size for box in boxes(source))
    except Undecodable:
        cut = True
    return "the file ends inside a box" if cut else None


def boxes(source: Source, offset: int = 0) -> Iterator[Box]:
    """Every box of one level from `offset` on; the last may be cut by the end of the file. Raises Undecodable."""
    for _ in range(MAX_BOXES):
        if offset >= source.size:
            return
        start = source.read(offset, 8)
        size, kind, content = int.from_bytes(start[:4]), start[4:], offset + 8
        if size == 1:
            size, content = source.number(content, 8), content + 8
        end = offset + size if size else source.size  # 0: the last box, to the end
        if end < content:
            raise Undecodable("The HEIF file is damaged: a box is smaller than its header")
        yield Box(kind, content, end)
        offset = end
    raise Undecodable(f"The HEIF file is damaged: it has more than {MAX_BOXES} boxes")


def _items(meta: Source) -> Items:
    items = Items()
    for box in boxes(meta, 4):
        items.boxes.setdefault(box.kind, box.start)
        reader = _READERS.get(box.kind)
        if reader:
            reader(meta, box, items)
    return items


def _primary(meta: Source, box: Box, items: Items) -> None:
    items.primary = meta.number(box.start + 4, 2 if meta.number(box.start, 1) == 0 else 4)


def _kinds(meta: Source, box: Box, items: Items) -> None:
    count_size = 2 if meta.number(box.start, 1) == 0 else 4
    for entry in boxes(meta.part(0, box.end), box.start + 4 + count_size):
        version = meta.number(entry.start, 1)
        id_size = 4 if version == 3 else 2
        if version >= 2:  # earlier ones have no item type
            items.kinds[meta.number(entry.start + 4, id_size)] = meta.read(entry.start + 4 + id_size + 2, 4)


def _properties(meta: Source, box: Box, items: Items) -> None:
    parts = list(boxes(meta.part(0, box.end), box.start))
    container = next((part for part in parts if part.kind == b"ipco"), None)
    properties = list(boxes(meta.part(0, container.end), container.start)) if container else []
    for part in parts:
        if part.kind == b"ipma":
            _associations(meta, part, properties, items)


def _associations(meta: Source, box: Box, properties: list[Box], items: Items) -> None:
    meta = meta.part(0, box.end)  # so that no box is read into the next one, again and again
    version, wide = meta.number(box.start, 1), meta.number(box.start + 3, 1) & 1
    id_size, index_size = 4 if version else 2, 2 if wide else 1
    offset = box.start + 8
    for _ in range(min(meta.number(box.start + 4, 4), MAX_ITEMS)):
        item, count = meta.number(offset, id_size), meta.number(offset + id_size, 1)
        offset += id_size + 1
        indices = meta.read(offset, count * index_size)
        offset += len(indices)
        for i in range(0, len(indices), index_size):
            # The first bit says whether the property is essential; numbers begin at 1.
            said = int.from_bytes(indices[i : i + index_size])
            essential, index = divmod(said, 1 << (15 if wide else 7))
            if 0 < index <= len(properties):
                items.properties.setdefault(item, []).append(properties[index - 1]._replace(essential=essential == 1))


def _references(meta: Source, box: Box, items: Items) -> None:
    size = 4 if meta.number(box.start, 1) else 2
    for entry in boxes(meta.part(0, box.end), box.start + 4):
        count = meta.number(entry.start + size, 2)
        targets = meta.part(0, entry.end).read(entry.start + size + 2, count * size)
        to = [int.from_bytes(targets[i : i + size]) for i in range(0, len(targets), size)]
        items.references.setdefault(entry.kind, []).append((meta.number(entry.start, size), to))


_READERS = {b"pitm": _primary, b"iinf": _kinds, b"iprp": _properties, b"iref": _references}


def _codec(items: Items) -> bytes:
    """The codec of the primary item, or of the first tile it is made of."""
    kind = items.kinds.get(items.primary, b"")
    if kind not in DERIVED:
        return kind
    made_from = next((to for item, to in items.references.get(b"dimg", []) if item == items.primary and to), [0])
    return items.kinds.get(made_from[0], b"")


def _said(meta: Source, items: Items, item: int) -> tuple[int, int]:
    """Width and height of an item before its transformations; 0, 0 where it has none."""
    box = next((box for box in reversed(items.properties.get(item, [])) if box.kind == b"ispe"), None)
    return (meta.number(box.start + 4, 4), meta.number(box.start + 8, 4)) if box else (0, 0)


def _size(meta: Source, items: Items) -> tuple[int, int]:
    """Width and height after the transformations of the primary item, in their order."""
    width, height = _said(meta, items, items.primary)
    for change in _changes(meta, items):
        width, height = change.size(width, height)
    return width, height


def changes(source: Source) -> list[Change]:
    """What makes of the coded picture the one that is shown, in this order. Raises Undecodable."""
    return list(_changes(*items_of(source)))


def _changes(meta: Source, items: Items) -> Iterator[Change]:
    width, height = _said(meta, items, items.primary)
    for box in items.properties.get(items.primary, []):
        if box.kind == b"clap":
            change = Change(cut=clap.edges(meta.part(box.start, 32), width, height))
        elif box.kind in (b"irot", b"imir"):
            value = meta.number(box.start, 1)
            change = Change(turn=value & 3) if box.kind == b"irot" else Change(mirror=value & 1)
        else:
            continue
        width, height = change.size(width, height)
        yield change


def _check_hevc(meta: Source, items: Items) -> None:
    """Raise Undecodable where a picture is larger than is said of it."""
    pairs = {(box, _said(meta, items, item)) for item in items.kinds for box in items.properties.get(item, [])}
    coded = {box: hevc.size(parameter_sets(meta, box)) for box, _ in pairs if box.kind == b"hvcC"}
    for box, (width, height) in pairs:
        across, down = coded.get(box, (0, 0))
        if across > width + hevc.PADDING or down > height + hevc.PADDING:
            raise Undecodable(f"The HEIC is damaged: it holds {across}x{down} pixels, and says {width}x{height}")


def parameter_sets(meta: Source, box: Box) -> bytes:
    """The content of an `hvcC` box, at most as much as is looked at."""
    return meta.part(box.start, box.end - box.start).head(_LONGEST_SETS)


def _has_alpha(meta: Source, items: Items) -> bool:
    auxiliaries = [item for item, to in items.references.get(b"auxl", []) if items.primary in to]
    described = (box for item in auxiliaries for box in items.properties.get(item, []) if box.kind == b"auxC")
    return any(meta.part(box.start + 4, box.end - box.start - 4).head(64).startswith(ALPHA) for box in described)
