"""Measure the compressed texts and the profile of a PNG without storing them: a few bytes may expand to gigabytes."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from service.engine.headers import png
from service.engine.headers.source import Source

LONGEST = 16 << 20
"""The longest text that is taken, in bytes; some editors write more than the 1 MiB that Pillow takes by default."""

MOST = 64 << 20
"""The bytes of all texts together."""

_STEP = 1 << 20
_KEYWORD = 80  # bytes at most, the zero behind it included


def endless(source: Source) -> bool:
    """Return whether a text or a profile exceeds LONGEST, or all exceed MOST. Raises Undecodable for a broken chain."""
    total = 0
    for chunk in png.chunks(source):
        start = _compressed(source, chunk)
        if start is None:
            continue
        length = 0
        for part in _inflated(source.part(start, chunk.end - start)):
            length += part
            if length > LONGEST or total + length > MOST:
                return True
        total += length
    return False


def _compressed(source: Source, chunk: png.Chunk) -> int | None:
    """Where the compressed part of a text or profile begins; None for other chunks and for plain texts."""
    if chunk.kind not in (b"zTXt", b"iTXt", b"iCCP"):
        return None
    head = source.part(chunk.start, chunk.end - chunk.start).head(_KEYWORD + 2)
    keyword = head.find(b"\0") + 1
    if chunk.kind != b"iTXt":
        return chunk.start + keyword + 1  # behind the method
    if head[keyword : keyword + 1] != b"\1":
        return None
    rest = source.part(chunk.start, chunk.end - chunk.start).head(1024)
    language = rest.find(b"\0", keyword + 2) + 1
    translated = rest.find(b"\0", language) + 1
    return chunk.start + translated if language and translated else chunk.end


def _inflated(source: Source) -> Iterator[int]:
    """The lengths of a stream's parts, of _STEP bytes at most; what is no stream has none."""
    inflater = zlib.decompressobj()
    try:
        for content in source.chunks():
            rest = content
            while rest and not inflater.eof:
                yield len(inflater.decompress(rest, _STEP))
                rest = inflater.unconsumed_tail
    except zlib.error:
        return
