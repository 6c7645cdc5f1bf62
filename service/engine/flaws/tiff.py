"""Flaws of TIFF: a last directory without the link to the next one or with one that leads back, tags out of order, and
strips that say they are longer than the file.
"""

from __future__ import annotations

from service.engine.flaws import Mended
from service.engine.headers import tiff
from service.engine.headers.source import Source
from service.engine.headers.tiff import Directory
from service.engine.stripping import Piece


def mend(source: Source, deep: bool) -> Mended:
    """A link that is missing or leads back counts as 0: no page follows. Tags must be in ascending order (TIFF 6.0,
    section 2)."""
    del deep
    flaws, pages = list[str](), list(tiff.directories(source))
    if any(list(page.tags) != sorted(page.tags, reverse=True) for page in pages):
        flaws.append("its tags are not in their order")
    if any(_overstates(page) for page in pages):
        flaws.append("it says that its pixels take more bytes than the file has")
    last = pages[-1]
    word, count_size, entry_size = (8, 8, 20) if last.big else (4, 2, 12)
    link = last.offset + count_size + source.number(last.offset, count_size, little=last.little) * entry_size
    missing = max(0, link + word - source.size)
    if missing:
        return Mended(
            [*flaws, "the link behind its last directory is missing"], [source.part(0, source.size), bytes(missing)]
        )
    if source.number(link, word, little=last.little):
        ended: list[Piece] = [source.part(0, link), bytes(word), source.part(link + word, source.size)]
        return Mended([*flaws, "its directories form a loop"], ended)
    return Mended(flaws)


def _overstates(page: Directory) -> bool:
    """Whether a strip or tile is longer than the file, of which not all is needed: others are refused before."""
    return any(
        start + length > page.source.size
        for starts, lengths in (tiff.STRIPS, tiff.TILES)
        for start, length in zip(
            page.numbers(starts, tiff.MAX_STRIPS), page.numbers(lengths, tiff.MAX_STRIPS), strict=False
        )
    )
