"""What a file is, by its content alone, before any decoder sees it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from service.engine.headers import bmp, gif, ico, isobmff, jpeg, others, png, tiff, webp
from service.engine.headers.source import OpenedFile, Source
from service.engine.job import Header, NotAnImage, Undecodable

HEAD = 2048


class _Format(NamedTuple):
    word: str | None  # None where only the header tells
    matches: Callable[[bytes, Source], bool]
    header: Callable[[Source], Header]
    missing: Callable[[Source], str | None]


_FORMATS = (
    _Format("jpg", lambda head, _: head.startswith(jpeg.SIGNATURE), jpeg.header, jpeg.missing),
    _Format("png", lambda head, _: head.startswith(png.SIGNATURE), png.header, png.missing),
    _Format("webp", lambda head, _: head[:4] == b"RIFF" and head[8:12] == b"WEBP", webp.header, webp.missing),
    _Format("gif", lambda head, _: head.startswith(gif.SIGNATURES), gif.header, gif.missing),
    _Format(
        None, lambda head, source: head[4:8] == b"ftyp" and isobmff.is_kin(source), isobmff.header, isobmff.missing
    ),
    _Format("tif", lambda head, _: head.startswith(tiff.SIGNATURES), tiff.header, tiff.missing),
    _Format("bmp", lambda head, _: bmp.begins(head), bmp.header, bmp.missing),
    _Format("ico", lambda head, _: head.startswith(ico.SIGNATURE), ico.header, ico.missing),
)


def recognise(path: Path) -> Header:
    """Format, size in pixels as stored, frames, alpha and orientation of the image in `path`.

    It reads headers only, which takes well under 5 ms for a JPEG of any size; the frames of a GIF are found by walking
    over them, some 100 ms for 100 MB. Raises NotAnImage where the content is none of the formats known here,
    Undecodable where it is one whose header is broken or incomplete, OSError where `path` cannot be read. A file whose
    pixels are cut short is recognised all the same: to tell that is `is_complete`'s part.
    """
    with OpenedFile(path) as source:
        header = _format(source).header(source)
    if not header.width or not header.height:
        raise Undecodable(f"The image is damaged: it is {header.width} by {header.height} pixels")
    return header


def is_complete(path: Path) -> str | None:
    """None where the file goes on to the end of its image, else what is missing, as a clause without a full stop.

    Only the structure is followed; pixels are not decoded. Raises as `recognise` does.
    """
    with OpenedFile(path) as source:
        return _format(source).missing(source)


def is_image(source: Source) -> bool:
    """Whether the content begins as one of the formats known here does, damaged or not."""
    try:
        _format(source)
    except NotAnImage:
        return False
    except Undecodable:  # too short for the rest of its first box
        return True
    return True


def declared_format(source: Source) -> str | None:
    """The format by the first bytes alone (of HEIF, by its header); None where it is none known here."""
    try:
        found = _format(source)
        return found.word or found.header(source).format
    except (NotAnImage, Undecodable):
        return None


def _format(source: Source) -> _Format:
    head = source.head(HEAD)
    for format_ in _FORMATS:
        if format_.matches(head, source):
            return format_
    looks = others.looks_like(head)
    raise NotAnImage("Not an image of a kind known here" + (f": it looks like {looks}" if looks else ""))
