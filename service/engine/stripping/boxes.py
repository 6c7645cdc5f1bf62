"""The items of a HEIF file of still pictures: where their bytes lie, and their properties (ISO/IEC 23008-12).

`read` takes the picture, what it is made of, and its transparency; all other items are left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from service.engine.headers.isobmff import ALPHA, MAX_ITEMS, MAX_META, Box, boxes
from service.engine.headers.source import Source
from service.engine.job import Undecodable
from service.engine.stripping import NotCopied

MAX_PIECES = 4096
DERIVED = (b"grid",)
CODED = (b"av01",)


@dataclass(slots=True)
class Item:
    """`places` are (start, length) in the file, `properties` (kind, content, essential)."""

    number: int
    kind: bytes = b""
    places: list[tuple[int, int]] = field(default_factory=list)
    properties: list[tuple[bytes, bytes, bool]] = field(default_factory=list)
    made_from: list[int] = field(default_factory=list)
    auxiliary_of: list[int] = field(default_factory=list)
    premultiplied: list[int] = field(default_factory=list)


def read(source: Source) -> tuple[Item, list[Item]]:
    """The primary item, and all that are needed to show it, that one first. Raises Undecodable, NotCopied."""
    found = next((box for box in boxes(source) if box.kind == b"meta"), None)
    if found is None or found.end > source.size or found.end - found.start > MAX_META:
        raise Undecodable("The AVIF is damaged: it has no still picture")
    meta = source.part(found.start, found.end - found.start)
    inside = {box.kind: box for box in reversed(list(boxes(meta, 4)))}
    if not {b"pitm", b"iinf", b"iloc", b"iprp"} <= inside.keys():
        raise Undecodable("The AVIF is damaged: it does not say where its picture is")
    items = _kinds(meta, inside[b"iinf"])
    _places(source, meta, inside, items)
    _properties(meta, inside[b"iprp"], items)
    if b"iref" in inside:
        _references(meta, inside[b"iref"], items)
    start = inside[b"pitm"].start
    primary = items.get(meta.number(start + 4, 4 if meta.number(start, 1) else 2))
    if primary is None:
        raise Undecodable("The AVIF is damaged: its picture is not there")
    return primary, _needed(primary, items)


def _needed(primary: Item, items: dict[int, Item]) -> list[Item]:
    alphas = [item for item in items.values() if _is_alpha(item) and primary.number in item.auxiliary_of][:1]
    needed = [*_with_parts(primary, items)]
    for alpha in alphas:
        needed += _with_parts(alpha, items)
    # The tiles of a grid may each have an alpha of their own.
    tiles = {item.number for item in needed} - {primary.number}
    needed += [one for one in items.values() if _is_alpha(one) and not tiles.isdisjoint(one.auxiliary_of)]
    unique = {item.number: item for item in needed}
    if any(item.kind not in (*CODED, *DERIVED) for item in unique.values()):
        raise NotCopied("the picture is made of items of another kind")
    return list(unique.values())


def _with_parts(item: Item, items: dict[int, Item]) -> Iterator[Item]:
    yield item
    if item.kind in DERIVED:
        for number in item.made_from:
            if number not in items:
                raise Undecodable("The AVIF is damaged: a tile is not there")
            yield items[number]


def _is_alpha(item: Item) -> bool:
    return any(kind == b"auxC" and content[4:].startswith(ALPHA) for kind, content, _ in item.properties)


def _kinds(meta: Source, box: Box) -> dict[int, Item]:
    items: dict[int, Item] = {}
    for entry in boxes(meta.part(0, box.end), box.start + (8 if meta.number(box.start, 1) else 6)):
        version = meta.number(entry.start, 1)
        size = 4 if version == 3 else 2
        if entry.kind == b"infe" and version >= 2 and len(items) < MAX_ITEMS:
            number = meta.number(entry.start + 4, size)
            items[number] = Item(number, meta.read(entry.start + 4 + size + 2, 4))
    return items


def _places(source: Source, meta: Source, inside: dict[bytes, Box], items: dict[int, Item]) -> None:
    """`iloc` (ISO/IEC 14496-12, 8.11.3): pieces in the file, or in the box `idat`."""
    box = inside[b"iloc"]
    version, sizes = meta.number(box.start, 1), meta.number(box.start + 4, 2)
    offset_size, length_size, base_size = sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15
    index_size = sizes & 15 if version else 0
    wide, at = (4, box.start + 10) if version == 2 else (2, box.start + 8)
    budget = MAX_PIECES
    for _ in range(meta.number(box.start + 6, wide)):
        number, at = meta.number(at, wide), at + wide
        method = meta.number(at, 2) & 15 if version else 0
        at += 4 if version else 2  # the construction method, and a reference to other files
        base, at = meta.number(at, base_size), at + base_size
        pieces, at = meta.number(at, 2), at + 2
        if method == 1 and b"idat" in inside:
            base += meta.start - source.start + inside[b"idat"].start
        budget -= pieces
        if budget < 0 or method > 1:
            raise NotCopied("the picture lies in too many pieces, or in another item")
        for _ in range(pieces):
            start = base + meta.number(at + index_size, offset_size)
            length = meta.number(at + index_size + offset_size, length_size)
            at += index_size + offset_size + length_size
            if number in items:
                items[number].places.append((start, length or source.size - start))


def _properties(meta: Source, box: Box, items: dict[int, Item]) -> None:
    parts = list(boxes(meta.part(0, box.end), box.start))
    container = next((part for part in parts if part.kind == b"ipco"), None)
    found = list(boxes(meta.part(0, container.end), container.start)) if container else []
    contents = [(one.kind, meta.read(one.start, one.end - one.start)) for one in found]
    for part in parts:
        if part.kind != b"ipma":
            continue
        ends = meta.part(0, part.end)
        size, wide = 4 if ends.number(part.start, 1) else 2, ends.number(part.start + 3, 1) & 1
        at = part.start + 8
        for _ in range(min(ends.number(part.start + 4, 4), MAX_ITEMS)):
            number, count, at = ends.number(at, size), ends.number(at + size, 1), at + size + 1
            for _ in range(count):
                index, at = ends.number(at, 2 if wide else 1), at + (2 if wide else 1)
                essential, index = (index >> 15, index & 0x7FFF) if wide else (index >> 7, index & 0x7F)
                if 0 < index <= len(contents) and number in items:
                    items[number].properties.append((*contents[index - 1], bool(essential)))


def _references(meta: Source, box: Box, items: dict[int, Item]) -> None:
    size = 4 if meta.number(box.start, 1) else 2
    for entry in boxes(meta.part(0, box.end), box.start + 4):
        item = items.get(meta.number(entry.start, size))
        targets = meta.part(0, entry.end).read(entry.start + size + 2, size * meta.number(entry.start + size, 2))
        to = [int.from_bytes(targets[i : i + size]) for i in range(0, len(targets), size)]
        if item is not None:
            held = {b"dimg": item.made_from, b"auxl": item.auxiliary_of, b"prem": item.premultiplied}.get(entry.kind)
            if held is not None:
                held += to
