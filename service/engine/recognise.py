"""Recognise the format of a file by its content, before any decoder opens it."""

from __future__ import annotations

from pathlib import Path

from service.engine.format_row import Parser
from service.engine.formats import FORMATS
from service.engine.headers import others
from service.engine.headers.source import MAX_FRAMES, OpenedFile, Source, Work
from service.engine.job import Header, NotAnImage, Undecodable

HEAD = 2048


_WORDS: dict[Parser, list[str]] = {}
"""By parser the formats that it reads: where there are several, the header tells which it is."""
for _word, _row in FORMATS.items():
    _WORDS.setdefault(_row.parser, []).append(_word)


def recognise(path: Path, *, frames: int = MAX_FRAMES, reads: int = Work.READS) -> Header:
    """Format, size in pixels as stored, frames, alpha and orientation of the image in `path`.

    Where there are more frames than `frames`, it tells one more than that. Raises TooLaborious beyond `reads` reads.
    It reads headers only, which takes well under 5 ms for a JPEG of any size; the frames of a GIF are found by walking
    over them, some 100 ms for 100 MB. Raises NotAnImage where the content is none of the formats known here,
    Undecodable where it is one whose header is broken, incomplete or made to keep a parser busy, OSError where `path`
    cannot be read. A file whose pixels are cut short is recognised too; `missing_part` checks that.
    """
    with OpenedFile(path) as file:
        source = file.bound(frames=frames, reads=reads)
        header = _parser(source).header(source)
    if not header.width or not header.height:
        raise Undecodable(f"The image is damaged: it is {header.width} by {header.height} pixels")
    return header


def missing_part(path: Path) -> str | None:
    """What the file lacks of its image, as a clause without a full stop; None where it is complete.

    Only the structure is followed; pixels are not decoded. Raises as `recognise` does.
    """
    with OpenedFile(path) as file:
        source = file.bound()
        return _parser(source).missing(source)


def is_image(source: Source) -> bool:
    """Whether the content begins as one of the formats known here does, damaged or not."""
    try:
        _parser(source)
    except NotAnImage:
        return False
    except Undecodable:  # too short for the rest of its first box
        return True
    return True


def declared_format(source: Source) -> str | None:
    """The format by the first bytes alone (of HEIF, by its header); None where it is none known here."""
    try:
        parser = _parser(source)
        words = _WORDS[parser]
        return words[0] if len(words) == 1 else parser.header(source).format
    except (NotAnImage, Undecodable):
        return None


def _parser(source: Source) -> Parser:
    head = source.head(HEAD)
    for parser in _WORDS:
        if parser.begins(head, source):
            return parser
    looks = others.looks_like(head)
    raise NotAnImage("Not an image of a kind known here" + (f": it looks like {looks}" if looks else ""))
