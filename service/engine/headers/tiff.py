"""Headers of TIFF and BigTIFF: a chain of directories of tags (TIFF 6.0; BigTIFF as in libtiff)."""

from __future__ import annotations

import struct
import sys
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from operator import add
from typing import Literal

from service.engine.headers.source import Source, TooLaborious
from service.engine.job import Header, NotAnImage, Undecodable

SIGNATURES = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
MAX_PAGES = 65_535  # libtiff's own bound
MAX_ENTRIES = 1_000_000  # over all pages
MAX_PARENTS = 16  # pages whose nested directories are looked at
MAX_STRIPS = 250_000  # over all pages; 100 megapixels have 98,000 tiles of 32 by 32

WIDTH, HEIGHT, ORIENTATION, EXTRA_SAMPLES, DNG_VERSION = 256, 257, 274, 338, 50706
PHOTOMETRIC, NEW_SUBFILE_TYPE, SUBFILE_TYPE, SUB_DIRECTORIES = 262, 254, 255, 330
REDUCED, MASK = 1, 4  # bits of NewSubfileType
OLD_REDUCED = 2  # of SubfileType, which came before it
SENSOR = (32803, 34892)  # photometric interpretations of camera raw files
BITS, COMPRESSION, SAMPLES, ROWS, PLANAR, TILE_WIDTH, TILE_HEIGHT = 258, 259, 277, 278, 284, 322, 323
UNCOMPRESSED = 1
STRIPS, TILES = (273, 279), (324, 325)  # offsets and byte counts
ASSOCIATED_ALPHA, UNASSOCIATED_ALPHA = 1, 2

_CODES = {1: "B", 3: "H", 4: "L", 16: "Q"}  # BYTE, SHORT, LONG, LONG8: all that the tags read here may be


@dataclass(frozen=True)
class Directory:
    """One directory: `table` are its entries, of 12 or 20 bytes; nothing is looked at until a tag is asked for.

    `offset` is where it stands in the file, and `nested` whether another one than its forerunner points to it.
    """

    source: Source
    little: bool
    big: bool
    table: bytes
    offset: int = 0
    nested: bool = False

    @cached_property
    def tags(self) -> array[int]:
        """The tag of each entry, the last entry first."""
        tags = array("H", self.table)[:: 10 if self.big else 6]
        if self.little != (sys.byteorder == "little"):
            tags.byteswap()
        tags.reverse()
        return tags

    def entry(self, tag: int) -> bytes:
        """The last entry of `tag`, which Pillow goes by; empty where there is none."""
        if tag not in self.tags:
            return b""
        size = 20 if self.big else 12
        place = size * (len(self.tags) - 1 - self.tags.index(tag))
        return self.table[place : place + size]

    def count(self, tag: int) -> int:
        """How many values `tag` states that it has, 0 where it is absent."""
        entry, word = self.entry(tag), 8 if self.big else 4
        return int.from_bytes(entry[4 : 4 + word], "little" if self.little else "big")

    def numbers(self, tag: int, limit: int = 16) -> tuple[int, ...]:
        """The first `limit` values of `tag`; none where it is absent or not of an unsigned integer type."""
        entry = self.entry(tag)
        order: Literal["little", "big"] = "little" if self.little else "big"
        word = 8 if self.big else 4
        code = _CODES.get(int.from_bytes(entry[2:4], order), "")
        count = int.from_bytes(entry[4 : 4 + word], order)
        if not code:
            return ()
        size = struct.calcsize(f"={code}")
        content, wanted = entry[4 + word :], min(count, limit) * size
        if count * size > word:  # too long to be inline: the entry says where it is
            content = self.source.read(int.from_bytes(content, order), wanted)
        return struct.unpack(f"{'<' if self.little else '>'}{wanted // size}{code}", content[:wanted])

    def number(self, tag: int) -> int:
        """The first value of `tag`, 0 where it is absent."""
        return next(iter(self.numbers(tag, 1)), 0)

    def content(self, tag: int, limit: int) -> bytes:
        """The bytes of `tag`, of type BYTE, ASCII or UNDEFINED; none where it is absent or longer than `limit`."""
        entry = self.entry(tag)
        order: Literal["little", "big"] = "little" if self.little else "big"
        word = 8 if self.big else 4
        count = int.from_bytes(entry[4 : 4 + word], order)
        if int.from_bytes(entry[2:4], order) not in (1, 2, 7) or count > limit:
            return b""
        inline = entry[4 + word :]
        return inline[:count] if count <= word else self.source.read(int.from_bytes(inline, order), count)

    @property
    def is_picture(self) -> bool:
        """Whether it is neither a smaller version of another page nor a mask of one."""
        return not self.number(NEW_SUBFILE_TYPE) & (REDUCED | MASK) and self.number(SUBFILE_TYPE) != OLD_REDUCED


def begins(head: bytes, _: Source) -> bool:
    return head.startswith(SIGNATURES)


def header(source: Source) -> Header:
    """Width, height, alpha and orientation are those of the first picture; the other ones may differ."""
    if source.head(10)[8:] == b"CR":
        raise NotAnImage("Camera raw files are not taken: this looks like a Canon raw file")
    if next(directories(source)).entry(DNG_VERSION):
        raise NotAnImage("Camera raw files are not taken: this looks like a DNG file")
    pages = pictures(source)
    first = next(pages)
    if first.number(PHOTOMETRIC) in SENSOR:
        raise NotAnImage("Camera raw files are not taken: this one holds the samples of a sensor")
    alpha = not {ASSOCIATED_ALPHA, UNASSOCIATED_ALPHA}.isdisjoint(first.numbers(EXTRA_SAMPLES))
    frames, strips = 1, _strips(first)
    for page in pages:
        frames, strips = frames + 1, strips + _strips(page)
        if strips > MAX_STRIPS or frames > source.most_frames:
            break
    if strips > MAX_STRIPS:
        raise Undecodable(f"The TIFF is damaged: it has more than {MAX_STRIPS} strips and tiles")
    width, height = first.number(WIDTH), first.number(HEIGHT)
    return Header("tif", width, height, frames=frames, alpha=alpha, orientation=orientation(first) or 1)


def missing(source: Source) -> str | None:
    try:
        for page in pictures(source):
            if any(end > source.size for tags in (STRIPS, TILES) for end in _ends(page, *tags)):
                return "the TIFF ends before its pixels do"
    except Undecodable:
        return "the TIFF ends inside a directory"
    return None


def _strips(page: Directory) -> int:
    """How many strips and tiles the page says that it has."""
    return max(page.count(tag) for tag in STRIPS) + max(page.count(tag) for tag in TILES)


def pictures(source: Source) -> Iterator[Directory]:
    """The pages that `frame` counts, at least one: neither thumbnails nor masks. Where all pages of the chain are such,
    the pictures that these point to (a camera's thumbnail comes first); where there are none either, all pages.

    Raises as `directories` does.
    """
    found = False
    for page in directories(source):
        if page.is_picture:
            found = True
            yield page
    if found:
        return
    nested = [inner for page in islice(directories(source), MAX_PARENTS) for inner in _nested(page)]
    yield from [inner for inner in nested if inner.is_picture] or directories(source)


def picture(source: Source, index: int) -> Directory:
    """The picture of this number. Raises Undecodable where there is none."""
    found = next(islice(pictures(source), index, None), None)
    if found is None:
        raise Undecodable("The TIFF is damaged: a page is missing")
    return found


def number_in_chain(source: Source, index: int) -> int:
    """Which page of the chain of directories the picture of this number is, as other libraries count them."""
    offset = picture(source, index).offset
    return next((number for number, page in enumerate(directories(source)) if page.offset == offset), index)


def _nested(page: Directory) -> Iterator[Directory]:
    """The directories that a page points to, as far as they can be read."""
    for offset in page.numbers(SUB_DIRECTORIES):
        try:
            inner, _ = _directory(page.source, offset, page.little, page.big)
        except TooLaborious:
            raise
        except Undecodable:
            continue
        yield replace(inner, nested=True)


def orientation(directory: Directory) -> int | None:
    value = directory.number(ORIENTATION)
    return value if value in range(1, 9) else None


def directories(source: Source) -> Iterator[Directory]:
    """Every directory of the chain, at least one; a chain that comes back to one of them ends there.

    Raises Undecodable, also where it is endless.
    """
    little = source.head(2) == b"II"
    version = source.part(2, 2).number(0, 2, little=little)
    if version not in (42, 43):
        raise Undecodable("The TIFF is damaged: it has no version")
    big = version == 43
    offset = source.number(8 if big else 4, 8 if big else 4, little=little)
    seen: set[int] = set()
    budget = MAX_ENTRIES
    while (offset and offset not in seen) or not seen:
        seen.add(offset)
        budget -= source.number(offset, 8 if big else 2, little=little)
        if budget < 0 or len(seen) > MAX_PAGES:
            raise Undecodable(f"The TIFF has more than {MAX_PAGES} pages or {MAX_ENTRIES} entries")
        page, offset = _directory(source, offset, little, big)
        yield page


def _directory(source: Source, offset: int, little: bool, big: bool) -> tuple[Directory, int]:
    """The directory at `offset`, and where the next one of its chain is, 0 for none. Raises Undecodable."""
    word, count_size, entry_size = (8, 8, 20) if big else (4, 2, 12)
    count = source.number(offset, count_size, little=little)
    if count > MAX_ENTRIES:
        raise Undecodable(f"The TIFF has more than {MAX_ENTRIES} entries")
    table = source.read(offset + count_size, count * entry_size)
    link = offset + count_size + len(table)
    after = source.number(link, word, little=little) if link + word <= source.size else 0  # cut where nothing follows
    return Directory(source, little, big, table, offset), after


def _ends(page: Directory, offsets: int, counts: int) -> Iterator[int]:
    """Where each strip or tile ends, as far as its pixels need it; `header` has bounded how many there are."""
    longest = longest_part(page)
    lengths = page.numbers(counts, MAX_STRIPS)
    return map(
        add, page.numbers(offsets, MAX_STRIPS), (min(length, longest) for length in lengths) if longest else lengths
    )


def longest_part(page: Directory) -> int:
    """The bytes of a strip or tile that is not compressed; 0 where it is, which tells nothing of its bytes."""
    if page.number(COMPRESSION) not in (0, UNCOMPRESSED) or page.count(BITS) > 16:
        return 0
    samples = (page.number(SAMPLES) or 1) if (page.number(PLANAR) or 1) == 1 else 1
    bits = max(page.numbers(BITS), default=1) * samples
    if page.count(TILES[0]):
        return (page.number(TILE_WIDTH) * bits + 7) // 8 * page.number(TILE_HEIGHT)
    rows = min(page.number(ROWS) or page.number(HEIGHT), page.number(HEIGHT))
    return (page.number(WIDTH) * bits + 7) // 8 * rows
