"""The strips and tiles of a TIFF that are WebP (libtiff's compression 50001): each is a file, and copied as one."""

from __future__ import annotations

from collections.abc import Sequence

from service.engine.headers import webp as headers
from service.engine.headers.source import Source
from service.engine.job import Undecodable
from service.engine.stripping import NotCopied, Piece, webp
from service.engine.tiff.layout import Layout, Part, Place, length

_SAMPLES = (3, 4)


def coded(source: Source, found: Layout, parts: Sequence[Part]) -> list[Piece]:
    """The parts in their order. Raises NotCopied for one that is damaged, of another size than the directory says, or
    that reaches beyond the image, where it may show anything; and for alpha that the directory does not name, since no
    program shows it."""
    if found.bits != 8 or found.samples not in _SAMPLES or found.apart:
        raise NotCopied("the TIFF has WebP of a kind that is not known")
    made: dict[Place, Piece] = {}
    for part in parts:
        length(found, part)
        if part.is_padded:
            raise NotCopied("a tile of WebP reaches beyond the image")
        if part.place not in made:
            made[part.place] = _stripped(source, part, found.samples)
    return [made[part.place] for part in parts]


def _stripped(source: Source, part: Part, samples: int) -> bytes:
    inside = source.part(part.offset, part.count)
    try:
        stated = headers.header(inside)
        if stated.frames != 1 or (stated.width, stated.height) != part.size:
            raise NotCopied("a strip is of another size than the directory says")
        if stated.alpha and samples == 3:
            raise NotCopied("a strip has samples that are not shown")
        return b"".join(
            piece if isinstance(piece, bytes) else b"".join(piece.chunks())
            for piece in webp.pieces(inside, keep_icc=False)
        )
    except Undecodable as error:
        raise NotCopied("a strip is damaged") from error
