"""Find the EXIF in originals whose decoders do not hand it over; empty where there is none."""

from __future__ import annotations

from service.engine.headers import png
from service.engine.headers.source import Source
from service.engine.jxl import boxes

LONGEST = 1 << 20  # bytes of a box


def of_png(source: Source) -> bytes:
    """The chunk of a PNG, which ImageMagick 6 ignores. Raises Undecodable."""
    found = (source.read(chunk.start, chunk.end - chunk.start) for chunk in png.chunks(source) if chunk.kind == b"eXIf")
    return next(found, b"")


def of_jxl(source: Source) -> bytes:
    """The box of a JPEG XL, which begins with how far behind it TIFF begins (ISO/IEC 18181-2). Raises Undecodable."""
    content = next((content for _, content in boxes.contents(source, {b"Exif": LONGEST})), b"")
    return content[4 + int.from_bytes(content[:4]) :]
