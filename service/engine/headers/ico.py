"""Headers of ICO: a directory of pictures, each a PNG or a DIB without its file header. The largest one is used.

Sizes in the directory may be wrong, so width and height come from the pictures themselves. There is one frame, since
the entries are sizes of one picture.
"""

from __future__ import annotations

from collections.abc import Iterator

from service.engine.headers import png
from service.engine.headers.source import Source
from service.engine.job import Header, Undecodable

SIGNATURE = b"\0\0\1\0"
MAX_ENTRIES = 1024
DIB_HEADER = 40


def begins(head: bytes, _: Source) -> bool:
    return head.startswith(SIGNATURE)


def header(source: Source) -> Header:
    largest = max((_picture(source, *place) for place in _places(source)), key=lambda picture: picture[0] * picture[1])
    # A DIB always carries a mask beside it, and a PNG in an icon is there for its alpha.
    return Header("ico", largest[0], largest[1], alpha=True)


def missing(source: Source) -> str | None:
    cut = any(start + size > source.size for start, size in _places(source))
    return "the ICO ends inside a picture" if cut else None


def _places(source: Source) -> Iterator[tuple[int, int]]:
    """Offset and size of every picture."""
    count = source.number(4, 2, little=True)
    if count not in range(1, MAX_ENTRIES + 1):
        raise Undecodable(f"The ICO is damaged: it has {count} pictures, of 1 to {MAX_ENTRIES}")
    for entry in range(count):
        size = source.number(6 + 16 * entry + 8, 4, little=True)
        yield source.number(6 + 16 * entry + 12, 4, little=True), size


def _picture(source: Source, start: int, size: int) -> tuple[int, int]:
    picture = source.part(start, size)
    if picture.head(8) == png.SIGNATURE:
        return png.geometry(picture)[:2]
    if picture.number(0, 4, little=True) != DIB_HEADER:
        raise Undecodable("The ICO is damaged: a picture in it is neither PNG nor DIB")
    # The height counts the mask below the picture too.
    return picture.number(4, 4, little=True), picture.number(8, 4, little=True) // 2
