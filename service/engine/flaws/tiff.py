"""Flaws of TIFF: a last directory without the link to the next one, and tags out of order."""

from __future__ import annotations

from service.engine.flaws import Mended
from service.engine.headers import tiff
from service.engine.headers.source import Source


def mend(source: Source, deep: bool) -> Mended:
    """A missing link counts as 0: no page follows. Tags must be in ascending order (TIFF 6.0, section 2)."""
    del deep
    flaws, missing = [], 0
    for page in tiff.directories(source):
        word, count_size, entry_size = (8, 8, 20) if page.big else (4, 2, 12)
        count = source.number(page.offset, count_size, little=page.little)
        missing = max(0, page.offset + count_size + count * entry_size + word - source.size)
        if list(page.tags) != sorted(page.tags, reverse=True):
            flaws.append("its tags are not in their order")
    flaws = flaws[:1]
    if not missing:
        return Mended(flaws)
    return Mended(
        [*flaws, "the link behind its last directory is missing"], [source.part(0, source.size), bytes(missing)]
    )
