"""TIFF files with flaws, and those that lack pixels."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from functools import partial

from tests.pictures import tiffs
from tests.pictures.case import Case
from tests.pictures.files import Refusal, taken
from tests.pictures.tiff_writer import (
    COMPRESSION,
    COUNTS,
    JPEG,
    OFFSETS,
    PLANAR,
    ROWS,
    TILE_COUNTS,
    TILE_OFFSETS,
    YCBCR,
    Page,
    tiff,
)

COLOUR = (230, 30, 30)


def without_link(missing: int, *, big: bool = False) -> bytes:
    """The last bytes of the file are those that say that no page follows."""
    return tiff(Page(tiffs.flat(*COLOUR)), big=big)[:-missing]


def swapped() -> bytes:
    """The first two entries of the directory exchanged."""
    data = bytearray(tiff(Page(tiffs.flat(*COLOUR))))
    at = int.from_bytes(data[4:8], "little") + 2
    data[at : at + 12], data[at + 12 : at + 24] = data[at + 12 : at + 24], data[at : at + 12]
    return bytes(data)


def looping(pages: int, *, big: bool = False) -> bytes:
    """The last directory points to the first again."""
    data, word = bytearray(tiff(*[Page(tiffs.flat(*COLOUR))] * pages, big=big)), 8 if big else 4
    data[-word:] = data[8:16] if big else data[4:8]
    return bytes(data)


def overstated(page: Page, by: int, *, cut: int = 0) -> bytes:
    """One strip or tile, which lies at the end of the file, without `cut` bytes of it, and states more by `by`."""
    data = tiff(page)
    at = int.from_bytes(data[4:8], "little")
    directory = bytearray(data[at:])
    offsets, counts = (TILE_OFFSETS, TILE_COUNTS) if page.tile else (OFFSETS, COUNTS)
    size = _rewritten(directory, counts, lambda length: length + by)
    _rewritten(directory, offsets, lambda _: len(data))
    return data[:at] + bytes(directory) + data[8 : 8 + size - cut]


def _rewritten(directory: bytearray, tag: int, change: Callable[[int], int]) -> int:
    """Change the one value of a tag, and return what it was."""
    place = next(i for i in range(2, len(directory), 12) if directory[i : i + 2] == tag.to_bytes(2, "little"))
    before = int.from_bytes(directory[place + 8 : place + 12], "little")
    directory[place + 2 : place + 12] = struct.pack("<HII", 4, 1, change(before))
    return before


def in_bytes(page: Page, tag: int) -> bytes:
    """A tag that should be a SHORT is a BYTE: a library that heeds types does not see it, and has its default."""
    short, byte = struct.pack("<HHI", tag, 3, 1), struct.pack("<HHI", tag, 1, 1)
    data = tiff(page)
    assert data.count(short) == 1
    return data.replace(short, byte)


def other_rows(page: Page, rows: int) -> bytes:
    """Strips of other `rows` than they have."""
    data = tiff(page)
    at = int.from_bytes(data[4:8], "little")
    directory = bytearray(data[at:])
    _rewritten(directory, ROWS, lambda _: rows)
    return data[:at] + bytes(directory)


def jpeg_xl() -> bytes:
    """A compression that no libtiff has."""
    compression, other = struct.pack("<HHII", COMPRESSION, 3, 1, 1), struct.pack("<HHII", COMPRESSION, 3, 1, 50002)
    data = tiff(Page(tiffs.flat(*COLOUR)))
    assert data.count(compression) == 1
    return data.replace(compression, other)


def _tiff() -> Iterator[Case | Refusal]:
    tiled = Page(tiffs.flat(*tiffs.ycbcr(COLOUR)), photometric=YCBCR, subsampling=(2, 2), compression=JPEG, tile=16)
    yield taken("tif with a planar configuration of a byte", partial(in_bytes, tiled, PLANAR), COLOUR)
    yield Refusal("tif in JPEG XL", jpeg_xl, "not read here: its compression has the number 50002")
    told = {"flaws": ["the link behind its last directory is missing"]}
    yield taken("tif without its last link", partial(without_link, 4), COLOUR, told)
    yield taken("tif with half of its last link", partial(without_link, 2), COLOUR, told)
    yield taken("tif big without its last link", partial(without_link, 8, big=True), COLOUR, told)
    for pages in (1, 3):
        said = {"flaws": ["its directories form a loop"], "frames": pages}
        yield taken(f"tif of a loop of {pages}", partial(looping, pages), COLOUR, said)
        yield taken(f"tif big of a loop of {pages}", partial(looping, pages, big=True), COLOUR, said)
    more = {"flaws": ["it says that its pixels take more bytes than the file has"]}
    strip, tile = Page(tiffs.flat(*COLOUR), rows=1000), Page(tiffs.flat(*COLOUR), tile=64)
    for name, page in (("strip", strip), ("tile", tile)):
        yield taken(f"tif of a {name} that overstates", partial(overstated, page, 35_000_000), COLOUR, more)
        for by in (0, 99):
            made = partial(overstated, page, by, cut=1)
            yield Refusal(f"tif of a {name} that states {by} and lacks pixels", made, "ends before its pixels do")
    yield taken("tif of tags without order", swapped, COLOUR, {"flaws": ["its tags are not in their order"]})


ALL = [*_tiff()]
