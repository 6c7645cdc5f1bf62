"""Metadata out of an image without touching a pixel: for the formats where that can be done by leaving parts out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from service.engine.formats import functions
from service.engine.headers.source import OpenedFile, Source
from service.engine.job import Header
from service.engine.stripping import NotCopied, Piece, Pieces

_PIECES: dict[str, Callable[[Source, bool], Pieces]] = functions(lambda row: row.stripper)


def strip(source: Path, target: Path, header: Header, keep_icc: bool = True) -> bool:
    """Write `source` without its metadata to `target`, pixels and animation unchanged; tell whether that was done.

    False, and nothing written, where leaving parts out cannot do it: for a format without a stripper,
    and for an image that is stored turned, whose orientation is metadata and would be lost. An ICC profile stays unless
    it is sRGB's or `keep_icc` is false. Memory is constant but for the profile. Raises Undecodable where the structure
    is broken or incomplete, OSError where a file cannot be read or written; no `target` is left then.
    """
    pieces = _PIECES.get(header.format)
    if pieces is None or header.orientation != 1:
        return False
    try:
        with OpenedFile(source) as opened, target.open("wb") as file:
            for content in _contents(pieces(opened, keep_icc)):
                file.write(content)
    except NotCopied:
        target.unlink(missing_ok=True)
        return False
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    return True


def _contents(pieces: Iterator[Piece]) -> Iterator[bytes]:
    for piece in pieces:
        if isinstance(piece, Source):
            yield from piece.chunks()
        else:
            yield piece
