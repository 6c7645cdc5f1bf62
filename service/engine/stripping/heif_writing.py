"""The `meta` box of a HEIF file, written from its items (ISO/IEC 14496-12, 8.11; 23008-12)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from service.engine.stripping.boxes import Item

Property = tuple[bytes, bytes, bool]
"""Kind, content, and whether a reader must know it."""

Held = tuple[Item, Sequence[Property], bytes]
"""An item, its properties, and its data."""


def meta(
    held: Sequence[Held],
    numbers: dict[int, int],
    primary: Item,
    places: Sequence[int],
) -> bytes:
    """The `meta` box (ISO/IEC 14496-12, 8.11) of items numbered from 1, whose data begin at `places`."""
    handler = box(b"hdlr", bytes(8) + b"pict" + bytes(13))
    entries = b"".join(
        box(b"infe", b"\2\0\0\0" + number.to_bytes(2) + b"\0\0" + item.kind + b"\0")
        for number, (item, _, _) in enumerate(held, 1)
    )
    where = b"".join(
        number.to_bytes(2) + b"\0\0\0\1" + place.to_bytes(4) + len(data).to_bytes(4)
        for number, ((_, _, data), place) in enumerate(zip(held, places, strict=True), 1)
    )
    count = len(held).to_bytes(2)
    return box(
        b"meta",
        b"\0\0\0\0"
        + handler
        + box(b"pitm", b"\0\0\0\0" + numbers[primary.number].to_bytes(2))
        + box(b"iloc", b"\0\0\0\0\x44\0" + count + where)
        + box(b"iinf", b"\0\0\0\0" + count + entries)
        + _references([item for item, _, _ in held], numbers)
        + _properties([properties for _, properties, _ in held]),
    )


def _references(items: Iterable[Item], numbers: dict[int, int]) -> bytes:
    written = b""
    for item in items:
        kinds = ((b"dimg", item.made_from), (b"auxl", item.auxiliary_of), (b"prem", item.premultiplied))
        for kind, targets in kinds:
            to = [numbers[target].to_bytes(2) for target in targets if target in numbers]
            if to:
                written += box(kind, numbers[item.number].to_bytes(2) + len(to).to_bytes(2) + b"".join(to))
    return box(b"iref", b"\0\0\0\0" + written) if written else b""


def _properties(of_items: Iterable[Sequence[Property]]) -> bytes:
    """`iprp`: each property once, and which item has which."""
    distinct, rows, count = list[tuple[bytes, bytes]](), b"", 0
    for properties in of_items:
        indices = b""
        for kind, content, must in properties:
            if (kind, content) not in distinct:
                distinct.append((kind, content))
            indices += (must << 15 | distinct.index((kind, content)) + 1).to_bytes(2)
        count += 1
        rows += count.to_bytes(2) + bytes([len(properties)]) + indices
    held = box(b"ipco", b"".join(box(kind, content) for kind, content in distinct))
    return box(b"iprp", held + box(b"ipma", b"\0\0\0\1" + count.to_bytes(4) + rows))


def box(kind: bytes, content: bytes) -> bytes:
    return (len(content) + 8).to_bytes(4) + kind + content
