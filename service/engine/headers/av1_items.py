"""Where an AVIF's AV1 pictures lie (`iloc`, ISO/IEC 14496-12, 8.11.3), and whether they are as large as it says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from service.engine.headers import av1
from service.engine.headers.source import Cut, Source
from service.engine.job import Undecodable

PADDING = 128  # pixels that a picture may exceed its `ispe` by: an encoder may fill whole superblocks
_ENOUGH = 4096  # bytes of a picture in which its sequence headers are looked for: they come first
_PICTURES, _PIECES = 1024, 16  # that are looked at: the tiles of a large grid, and what a writer may break one into

Size = tuple[int, int]


def check(source: Source, meta: Source, said: Mapping[int, Size], iloc: int | None, idat: int | None) -> None:
    """Raise Undecodable where a picture is larger than is `said` of it, by item.

    `iloc` and `idat` are where the contents of these boxes start in `meta`, None where there are none. What cannot be
    found is passed over; a decoder that finds it nevertheless has the memory of its process, and no more.
    """
    if iloc is None:
        return
    try:
        for item, extents in _extents(meta, iloc, source.start, meta.start + (idat or 0)):
            if item in said:
                width, height = av1.size(_beginning(source, extents))
                if width > said[item][0] + PADDING or height > said[item][1] + PADDING:
                    size = f"{said[item][0]}x{said[item][1]}"
                    raise Undecodable(f"The AVIF is damaged: it holds {width}x{height} pixels, and says {size}")
    except Cut:
        return


def beginning_of(
    item: int, source: Source, meta: Source, iloc: int | None, idat: int | None, most: int = _ENOUGH
) -> bytes:
    """Return the first bytes of an item's data, `most` of them; nothing where they cannot be found."""
    if iloc is None:
        return b""
    try:
        places = _extents(meta, iloc, source.start, meta.start + (idat or 0))
        return next((_beginning(source, extents, most) for number, extents in places if number == item), b"")
    except Cut:
        return b""


def _beginning(source: Source, extents: list[tuple[int, int]], most: int = _ENOUGH) -> bytes:
    data = b""
    for start, length in extents:
        data += source.part(start, length or source.size).head(most - len(data))
        if len(data) >= most:
            break
    return data


def _extents(meta: Source, at: int, file: int, idat: int) -> Iterator[tuple[int, list[tuple[int, int]]]]:
    """Every item with the (start, length) of its pieces in the file."""
    version = meta.number(at, 1)
    sizes = meta.number(at + 4, 2)
    offset_size, length_size, base_size = sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15
    index_size = sizes & 15 if version else 0
    wide, each = 4 if version == 2 else 2, index_size + offset_size + length_size
    count, at = meta.number(at + 6, wide), at + 6 + wide
    for _ in range(min(count, _PICTURES)):
        item, at = meta.number(at, wide), at + wide
        in_idat = bool(version) and meta.number(at, 2) & 15 == 1
        at += 4 if version else 2  # the construction method, and a reference to other files
        base, at = meta.number(at, base_size) + (idat - file if in_idat else 0), at + base_size
        pieces, at = meta.number(at, 2), at + 2
        places = [at + piece * each + index_size for piece in range(min(pieces, _PIECES))]
        yield item, [(base + meta.number(a, offset_size), meta.number(a + offset_size, length_size)) for a in places]
        at += pieces * each
