"""A JPEG to JPEG XL and back without loss: its coefficients stay, and only their coding changes.

What a JPEG is rebuilt of stands in the box `jbrd`: the order of its parts, and markers and bytes that no pixel needs,
compressed. So only a JPEG that is stripped already is brought over, and what comes back is stripped once more.
"""

from __future__ import annotations

import ctypes

from service.engine.jxl import libjxl
from service.engine.jxl.writing import drained
from service.engine.memory import large_blocks_reused

EFFORT = 3
"""6 megapixels take 160 ms. Higher efforts leave the same bytes, but for a ten-thousandth."""

_PIECE = 1 << 20


def from_jpeg(data: bytes) -> bytes:
    """The JPEG XL of a JPEG that can be made again of it; empty where libjxl does not take it, or is missing."""
    library = libjxl.library
    if library is None:
        return b""
    with large_blocks_reused(), libjxl.encoder() as encoder:
        library.JxlEncoderStoreJPEGMetadata(encoder, 1)
        options = library.JxlEncoderFrameSettingsCreate(encoder, None)
        library.JxlEncoderFrameSettingsSetOption(options, libjxl.EFFORT, EFFORT)
        if library.JxlEncoderAddJPEGFrame(options, data, len(data)) != libjxl.SUCCESS:
            return b""
        library.JxlEncoderCloseInput(encoder)
        return drained(encoder)


def to_jpeg(data: bytes, most: int) -> bytes:
    """The JPEG that a JPEG XL was made of, all its metadata included; empty where there is none, or it is damaged, or
    has more than `most` bytes."""
    if libjxl.library is None:
        return b""
    with large_blocks_reused(), libjxl.decoder(libjxl.RECONSTRUCTION | libjxl.IMAGE, data) as decoder:
        return _rebuilt(decoder, most)


def _rebuilt(decoder: ctypes.c_void_p, most: int) -> bytes:
    library, made = libjxl.library, bytearray()
    piece = ctypes.create_string_buffer(_PIECE)
    is_one = False
    while True:
        status = library.JxlDecoderProcessInput(decoder)
        if status == libjxl.RECONSTRUCTION:
            is_one = True
            library.JxlDecoderSetJPEGBuffer(decoder, piece, len(piece))
        elif status == libjxl.JPEG_NEED_MORE_OUTPUT and len(made) <= most:
            made += _written(decoder, piece)
            library.JxlDecoderSetJPEGBuffer(decoder, piece, len(piece))
        elif status == libjxl.IMAGE and is_one:
            return bytes(made + _written(decoder, piece))
        else:
            return b""


def _written(decoder: ctypes.c_void_p, piece: ctypes.Array[ctypes.c_char]) -> memoryview:
    left = libjxl.library.JxlDecoderReleaseJPEGBuffer(decoder)
    return memoryview(piece)[: len(piece) - left]
