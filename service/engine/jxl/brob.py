"""The content of a box that is compressed by Brotli, `brob` (ISO/IEC 18181-2), decompressed by libjxl."""

from __future__ import annotations

import ctypes

from service.engine.headers.jxl_boxes import SIGNATURE
from service.engine.jxl import libjxl

KIND = b"brob"

_FILE_TYPE = b"\0\0\0\x14ftypjxl \0\0\0\0jxl "
_END = b"\0\0\0\x08free"
"""A box behind the one that is read: libjxl comes to it when it is done with that."""


def unpacked(content: bytes, most: int) -> bytes:
    """What a box holds whose `content` is a kind of four letters and data that Brotli has compressed.

    Empty where the data are broken or stand for more than `most` bytes, and where libjxl is missing or cannot
    decompress. No more than `most` bytes and one are ever written.
    """
    library = libjxl.library
    if library is None:
        return b""
    held = ctypes.create_string_buffer(most + 1)
    file = SIGNATURE + _FILE_TYPE + (8 + len(content)).to_bytes(4) + KIND + content + _END
    with libjxl.decoder(libjxl.BOX, file) as decoder:
        if library.JxlDecoderSetDecompressBoxes(decoder, 1) != libjxl.SUCCESS:
            return b""
        for _ in (SIGNATURE, _FILE_TYPE, KIND):
            if library.JxlDecoderProcessInput(decoder) != libjxl.BOX:
                return b""
        library.JxlDecoderSetBoxBuffer(decoder, held, most + 1)
        if library.JxlDecoderProcessInput(decoder) != libjxl.BOX:
            return b""
        made = most + 1 - library.JxlDecoderReleaseBoxBuffer(decoder)
        return held.raw[:made] if made <= most else b""
