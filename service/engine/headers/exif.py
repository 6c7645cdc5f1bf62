"""EXIF orientation: one tag of the first directory of a TIFF structure (Exif 2.32, 4.6.4)."""

from __future__ import annotations

from service.engine.headers import tiff
from service.engine.headers.source import Source, TooLaborious
from service.engine.job import Undecodable

PREFIX = b"Exif\0\0"


def orientation(block: Source) -> int | None:
    """1..8 from an EXIF block that begins at its TIFF header, or behind the prefix that some writers leave there.

    None where there is none, or nothing sensible: a broken EXIF block does not make an image undecodable.
    """
    if block.head(len(PREFIX)) == PREFIX:
        block = block.part(len(PREFIX), block.size)
    try:
        return tiff.orientation(next(tiff.directories(block)))
    except TooLaborious:
        raise
    except (Undecodable, StopIteration):
        return None


def orientation_behind_prefix(block: Source) -> int | None:
    """The same from a JPEG's APP1, which is EXIF only where the prefix says so."""
    return orientation(block) if block.head(len(PREFIX)) == PREFIX else None
