"""A TIFF of one page: its header, its directory, and what the directory points to (TIFF 6.0, section 2)."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence

from service.engine.headers.source import Source
from service.engine.stripping import NotCopied, Piece

Values = Sequence[int] | Sequence[tuple[int, int]] | bytes
"""Of a tag: unsigned numbers, fractions, or bytes."""

_SHORT, _LONG, _RATIONAL, _UNDEFINED = 3, 4, 5, 7
_LARGEST = 0xFFFFFFFF
_HEADER, _ENTRY = 8, 12


def file(
    tags: Mapping[int, Values], places: tuple[int, int], contents: Sequence[Piece], *, little: bool
) -> Iterator[Piece]:
    """The file of `tags`, whose strips or tiles are `contents`; one that is there twice is written once.

    `places` are the tags of their offsets and their lengths. Raises NotCopied where it has more than 4 GiB.
    """
    distinct = {id(content): content for content in contents}
    lengths = [size(content) for content in contents]
    # Offsets are as long as they can be until it is known where the strips begin.
    start = len(_directory({**tags, places[0]: [_LARGEST] * len(contents), places[1]: lengths}, little))
    at, starts = start, {}
    for key, content in distinct.items():
        starts[key] = at
        at += size(content)
    if at > _LARGEST:
        raise NotCopied("the TIFF has more than 4 GiB")
    offsets = [starts[id(content)] for content in contents]
    head = _directory({**tags, places[0]: offsets, places[1]: lengths}, little, long=places[0])
    assert len(head) == start
    yield head
    yield from distinct.values()


def _directory(tags: Mapping[int, Values], little: bool, long: int = 0) -> bytes:
    """All that stands before the strips; the values of the tag `long` take four bytes each."""
    order = "<" if little else ">"
    entries, behind = b"", b""
    at = _HEADER + 2 + _ENTRY * len(tags) + 4
    for tag, values in sorted(tags.items()):
        kind, content = _encoded(values, order, wide=tag == long)
        if len(content) > 4:
            behind += bytes((at + len(behind)) % 2)
            place = struct.pack(f"{order}I", at + len(behind))
            behind += content
        else:
            place = content.ljust(4, b"\0")
        entries += struct.pack(f"{order}HHI", tag, kind, len(values)) + place
    head = (b"II" if little else b"MM") + struct.pack(f"{order}HIH", 42, _HEADER, len(tags))
    return head + entries + bytes(4) + behind


def _encoded(values: Values, order: str, *, wide: bool) -> tuple[int, bytes]:
    if isinstance(values, bytes):
        return _UNDEFINED, values
    flat = [part for value in values for part in (value if isinstance(value, tuple) else (value,))]
    kind = _RATIONAL if len(flat) > len(values) else _LONG if wide or max(flat) > 0xFFFF else _SHORT
    return kind, struct.pack(f"{order}{len(flat)}{'H' if kind == _SHORT else 'I'}", *flat)


def size(content: Piece) -> int:
    """The bytes of a piece."""
    return content.size if isinstance(content, Source) else len(content)
