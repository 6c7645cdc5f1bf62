"""Which pages of a TIFF's chain its pictures are: thumbnails and masks are none of them."""

from __future__ import annotations

from pathlib import Path

from service.engine.headers import tiff
from service.engine.headers.source import OpenedFile
from service.engine.job import Header


def pages(path: Path, header: Header, wanted: range) -> range:
    """The numbers of the wanted pictures as other libraries count pages; of other formats than TIFF the same."""
    if header.format != "tif":
        return wanted
    with OpenedFile(path) as source:
        first = tiff.number_in_chain(source, wanted.start)
    return range(first, first + len(wanted))
