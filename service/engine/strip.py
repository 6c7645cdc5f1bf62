"""Remove the metadata of an image without decoding it, for formats whose coded pixels can be copied."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from service.engine.formats import functions
from service.engine.headers.source import OpenedFile, Source
from service.engine.job import Header
from service.engine.stripping import NotCopied, Piece, Pieces

_PIECES: dict[str, Callable[[Source, bool], Pieces]] = functions(lambda row: row.stripper)

_TURNED = ("tif",)
"""Formats whose strippers copy the orientation: it is a tag of the pixels there."""


def strip(source: Path, target: Path, header: Header, keep_icc: bool = True, reasons: list[str] | None = None) -> bool:
    """Write `source` without its metadata to `target`, pixels and animation unchanged. Return True if that was done.

    Return False, with nothing written, for a format without a stripper, for a kind of image that its stripper does not
    know, which `reasons` then gets, and for an image that is stored turned, because its orientation is metadata and
    would be lost; only a TIFF keeps it. The colours of an ICC profile stay unless it is sRGB's or `keep_icc` is false.
    A PNG without a palette takes constant memory; others take what their coded data and the pixels of a frame need.
    Raises Undecodable where the structure is broken or incomplete, OSError where a file cannot be read or written;
    `target` is empty then.
    """
    pieces = _PIECES.get(header.format)
    if pieces is None or (header.orientation != 1 and header.format not in _TURNED):
        return False
    try:
        with OpenedFile(source) as opened, target.open("wb") as file:
            for content in _contents(pieces(opened, keep_icc)):
                file.write(content)
    except NotCopied as reason:
        target.open("wb").close()  # an engine process removes no file
        if reasons is not None:
            reasons.append(str(reason))
        return False
    except BaseException:
        target.open("wb").close()
        raise
    return True


def _contents(pieces: Iterator[Piece]) -> Iterator[bytes]:
    for piece in pieces:
        if isinstance(piece, Source):
            yield from piece.chunks()
        else:
            yield piece
