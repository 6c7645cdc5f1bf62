"""TIFF and BigTIFF: a chain of directories of tags (TIFF 6.0; BigTIFF as libtiff has it)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from service.engine.headers.source import Source
from service.engine.job import Header, NotAnImage, Undecodable

SIGNATURES = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
MAX_PAGES = 65_535  # libtiff's own bound
MAX_ENTRIES = 1_000_000  # over all pages
MAX_STRIPS = 1_000_000  # over all pages; those beyond are not looked at

WIDTH, HEIGHT, ORIENTATION, EXTRA_SAMPLES, DNG_VERSION = 256, 257, 274, 338, 50706
STRIPS, TILES = (273, 279), (324, 325)  # offsets and byte counts
ASSOCIATED_ALPHA, UNASSOCIATED_ALPHA = 1, 2

_SIZES = {1: 1, 3: 2, 4: 4, 16: 8}  # BYTE, SHORT, LONG, LONG8: all that the tags read here may be


@dataclass(frozen=True, slots=True)
class Directory:
    """One directory: `entries` maps a tag to where its 12 or 20 bytes are; only `numbers` looks inside."""

    source: Source
    little: bool
    big: bool
    entries: dict[int, bytes]

    def numbers(self, tag: int, limit: int = 16) -> list[int]:
        """The first `limit` values of `tag`; none where it is absent or not of an unsigned integer type."""
        entry = self.entries.get(tag, b"")
        order: Literal["little", "big"] = "little" if self.little else "big"
        word = 8 if self.big else 4
        size = _SIZES.get(int.from_bytes(entry[2:4], order), 0)
        count = int.from_bytes(entry[4 : 4 + word], order)
        content, wanted = entry[4 + word :], min(count, limit) * size
        if count * size > word:  # too long to be inline: the entry says where it is
            content = self.source.read(int.from_bytes(content, order), wanted)
        return [int.from_bytes(content[i : i + size], order) for i in range(0, wanted, size)] if size else []

    def number(self, tag: int) -> int:
        """The first value of `tag`, 0 where it is absent."""
        return next(iter(self.numbers(tag, 1)), 0)


def begins(head: bytes, _: Source) -> bool:
    return head.startswith(SIGNATURES)


def header(source: Source) -> Header:
    """Width, height, alpha and orientation are those of the first page; the other pages may differ."""
    if source.head(10)[8:] == b"CR":
        raise NotAnImage("Camera raw files are not taken: this looks like a Canon raw file")
    pages = directories(source)
    first = next(pages)
    if DNG_VERSION in first.entries:
        raise NotAnImage("Camera raw files are not taken: this looks like a DNG file")
    alpha = not {ASSOCIATED_ALPHA, UNASSOCIATED_ALPHA}.isdisjoint(first.numbers(EXTRA_SAMPLES))
    frames = 1 + sum(1 for _ in pages)
    width, height = first.number(WIDTH), first.number(HEIGHT)
    return Header("tif", width, height, frames=frames, alpha=alpha, orientation=orientation(first) or 1)


def missing(source: Source) -> str | None:
    budget = MAX_STRIPS
    try:
        for page in directories(source):
            ends = [end for tags in (STRIPS, TILES) for end in _ends(page, *tags, budget)]
            budget -= len(ends)
            if any(end > source.size for end in ends):
                return "the TIFF ends before its pixels do"
    except Undecodable:
        return "the TIFF ends inside a directory"
    return None


def orientation(directory: Directory) -> int | None:
    value = directory.number(ORIENTATION)
    return value if value in range(1, 9) else None


def directories(source: Source) -> Iterator[Directory]:
    """Every directory of the chain, at least one. Raises Undecodable, also where the chain loops or is endless."""
    little = source.head(2) == b"II"
    version = source.part(2, 2).number(0, 2, little=little)
    if version not in (42, 43):
        raise Undecodable("The TIFF is damaged: it has no version")
    big = version == 43
    word, count_size, entry_size = (8, 8, 20) if big else (4, 2, 12)
    offset = source.number(8 if big else 4, word, little=little)
    seen: set[int] = set()
    budget = MAX_ENTRIES
    while offset or not seen:
        if offset in seen:
            raise Undecodable("The TIFF is damaged: its directories form a loop")
        seen.add(offset)
        count = source.number(offset, count_size, little=little)
        budget -= count
        if budget < 0 or len(seen) > MAX_PAGES:
            raise Undecodable(f"The TIFF has more than {MAX_PAGES} pages or {MAX_ENTRIES} entries")
        table = source.read(offset + count_size, count * entry_size)
        entries = (table[i : i + entry_size] for i in range(0, len(table), entry_size))
        order: Literal["little", "big"] = "little" if little else "big"
        yield Directory(source, little, big, {int.from_bytes(entry[:2], order): entry for entry in entries})
        offset = source.number(offset + count_size + len(table), word, little=little)


def _ends(page: Directory, offsets: int, counts: int, limit: int) -> list[int]:
    """Where each strip or tile ends, the first `limit` of them."""
    pairs = zip(page.numbers(offsets, limit), page.numbers(counts, limit), strict=False)
    return [offset + count for offset, count in pairs]
