"""The items of a HEIF file of still pictures: where their bytes lie, and their properties (ISO/IEC 23008-12).

`read` takes the picture, what it is made of, and its transparency; all other items are left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from service.engine.headers.heif_items import Box
from service.engine.headers.isobmff import ALPHA, items_of
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


_HELD = {b"dimg": "made_from", b"auxl": "auxiliary_of", b"prem": "premultiplied"}
"""By kind of reference, where an item has the numbers of those it refers to."""


def read(source: Source) -> tuple[Item, list[Item]]:
    """The primary item, and all that are needed to show it, that one first. Raises Undecodable, NotCopied."""
    meta, said = items_of(source)
    if b"iloc" not in said.boxes:
        raise Undecodable("The AVIF is damaged: it does not say where its picture is")
    items = {number: Item(number, kind) for number, kind in said.kinds.items()}
    _places(source, meta, said.boxes, items)
    contents: dict[Box, bytes] = {}
    for item in items.values():
        for box in said.properties.get(item.number, []):
            if box not in contents:
                contents[box] = meta.read(box.start, box.end - box.start)
            item.properties.append((box.kind, contents[box], box.essential))
    for kind, held in _HELD.items():
        for number, targets in said.references.get(kind, []):
            if number in items:
                getattr(items[number], held).extend(targets)
    primary = items.get(said.primary)
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


def _places(source: Source, meta: Source, starts: dict[bytes, int], items: dict[int, Item]) -> None:
    """`iloc` (ISO/IEC 14496-12, 8.11.3): pieces in the file, or in the box `idat`; all of them, or NotCopied."""
    iloc = starts[b"iloc"]
    version, sizes = meta.number(iloc, 1), meta.number(iloc + 4, 2)
    offset_size, length_size, base_size = sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15
    index_size = sizes & 15 if version else 0
    wide, at = (4, iloc + 10) if version == 2 else (2, iloc + 8)
    budget = MAX_PIECES
    for _ in range(meta.number(iloc + 6, wide)):
        number, at = meta.number(at, wide), at + wide
        method = meta.number(at, 2) & 15 if version else 0
        at += 4 if version else 2  # the construction method, and a reference to other files
        base, at = meta.number(at, base_size), at + base_size
        pieces, at = meta.number(at, 2), at + 2
        if method == 1 and b"idat" in starts:
            base += meta.start - source.start + starts[b"idat"]
        budget -= pieces
        if budget < 0 or method > 1:
            raise NotCopied("the picture lies in too many pieces, or in another item")
        for _ in range(pieces):
            start = base + meta.number(at + index_size, offset_size)
            length = meta.number(at + index_size + offset_size, length_size)
            at += index_size + offset_size + length_size
            if number in items:
                items[number].places.append((start, length or source.size - start))
