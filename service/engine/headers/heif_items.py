"""The items of a HEIF file, and what its `meta` box tells of them (ISO/IEC 14496-12, 8.11; 23008-12)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from service.engine.headers.source import Source
from service.engine.job import Undecodable

MAX_BOXES = 10_000
MAX_ITEMS = 65_536


class Box(NamedTuple):
    """A box's four-letter kind, and its content from `start` to `end`. A reader must know an `essential` property."""

    kind: bytes
    start: int
    end: int
    essential: bool = False


@dataclass(slots=True)
class Items:
    """What the `meta` box tells: kinds by item, properties by item in the order they apply, references by kind, and
    where in it the places of items stand, and data of theirs may lie. Of tracks also what no property says: sizes,
    quarters of a turn anticlockwise, and which one is the alpha."""

    primary: int = 0
    kinds: dict[int, bytes] = field(default_factory=dict)
    properties: dict[int, list[Box]] = field(default_factory=dict)
    references: dict[bytes, list[tuple[int, list[int]]]] = field(default_factory=dict)
    boxes: dict[bytes, int] = field(default_factory=dict)
    sizes: dict[int, tuple[int, int]] = field(default_factory=dict)
    turns: dict[int, int] = field(default_factory=dict)
    alphas: list[int] = field(default_factory=list)


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


def read(meta: Source) -> Items:
    """What the content of a `meta` box tells. Raises Undecodable."""
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
