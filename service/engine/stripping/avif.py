"""AVIF with its coded pictures and what says their colour, in boxes of our own: no Exif, XMP, C2PA, names or gaps."""

from __future__ import annotations

from service.engine.headers import movie
from service.engine.headers.source import Source
from service.engine.stripping import Pieces, avif_sequence
from service.engine.stripping.avif_items import FILE_TYPE, held
from service.engine.stripping.heif_writing import box, meta


def pieces(source: Source, keep_icc: bool) -> Pieces:
    """Raises NotCopied where the picture is made in a way that is not known here, or has properties that are not."""
    if moving := movie.movie(source):
        yield from avif_sequence.pieces(source, moving, keep_icc)
        return
    primary, items = held(source, keep_icc)
    numbers = {item.number: number for number, (item, _, _) in enumerate(items, 1)}
    yield box(b"ftyp", FILE_TYPE)
    size = len(meta(items, numbers, primary, [0] * len(items)))
    places, at = [], len(FILE_TYPE) + 8 + size + 8
    for _, _, data in items:
        places.append(at)
        at += len(data)
    yield meta(items, numbers, primary, places)
    yield box(b"mdat", b"".join(data for _, _, data in items))
