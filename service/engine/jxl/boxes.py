"""Boxes of metadata in a JPEG XL (ISO/IEC 18181-2), as they are or in a box `brob`, which libjxl decompresses."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Mapping

from service.engine.headers.jxl_boxes import BARE, SIGNATURE, boxes
from service.engine.headers.source import Source
from service.engine.jxl import libjxl

MOST_OPENED = 16  # compressed boxes of one file: each may take as long as what it stands for
_COMPRESSED = b"brob"

_FILE_TYPE = b"\0\0\0\x14ftypjxl \0\0\0\0jxl "
_END = b"\0\0\0\x08free"
"""A box behind the one that is read: libjxl comes to it when it is done with that."""


def contents(source: Source, most: Mapping[bytes, int]) -> Iterator[tuple[bytes, bytes]]:
    """Kind and content of each box of the kinds in `most`, which gives the bytes that one may have; a longer one, and a
    compressed one that cannot be opened, is passed over, and so are compressed ones after the first MOST_OPENED. Raises
    Undecodable."""
    if source.head(2) == BARE:
        return
    left = MOST_OPENED
    for box in boxes(source):
        length = min(box.end, source.size) - box.start
        packed = box.kind == _COMPRESSED and length > 4
        kind = source.read(box.start, 4) if packed else box.kind
        if length > most.get(kind, -1):
            continue
        content = source.read(box.start, length)
        if not packed:
            yield kind, content
        elif left:
            left -= 1
            if opened := unpacked(content, most[kind]):
                yield kind, opened


def unpacked(content: bytes, most: int) -> bytes:
    """What a box holds whose `content` is a kind of four letters and data that Brotli has compressed.

    Empty where the data are broken or stand for more than `most` bytes, and where libjxl is missing or cannot
    decompress. No more than `most` bytes and one are ever written.
    """
    library = libjxl.library
    if library is None:
        return b""
    held = ctypes.create_string_buffer(most + 1)
    file = SIGNATURE + _FILE_TYPE + (8 + len(content)).to_bytes(4) + _COMPRESSED + content + _END
    with libjxl.decoder(libjxl.BOX, file) as decoder:
        if library.JxlDecoderSetDecompressBoxes(decoder, 1) != libjxl.SUCCESS:
            return b""
        for _ in (SIGNATURE, _FILE_TYPE, _COMPRESSED):
            if library.JxlDecoderProcessInput(decoder) != libjxl.BOX:
                return b""
        library.JxlDecoderSetBoxBuffer(decoder, held, most + 1)
        if library.JxlDecoderProcessInput(decoder) != libjxl.BOX:
            return b""
        made = most + 1 - library.JxlDecoderReleaseBoxBuffer(decoder)
        return held.raw[:made] if made <= most else b""
