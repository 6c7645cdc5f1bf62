"""A JPEG to JPEG XL and back without loss: its coefficients stay, and only their coding changes.

What a JPEG is rebuilt of stands in the box `jbrd`: the order of its parts, and markers and bytes that no pixel needs,
compressed. So only a JPEG that is stripped already is brought over, and what comes back is stripped once more.
"""

from __future__ import annotations

import ctypes
from functools import lru_cache

from service.engine.headers import jpeg, jxl_boxes
from service.engine.job import Unsatisfiable
from service.engine.jxl import libjxl
from service.engine.jxl.held import Held
from service.engine.jxl.writing import drained
from service.engine.memory import freed, has_room, large_blocks_reused

EFFORT = 3
"""6 megapixels take 160 ms. Higher efforts leave the same bytes, but for a ten-thousandth."""

PIXEL = 58
"""Bytes for a pixel without which no JPEG need be made ready."""

_HALVED, _WHOLE, _SIDE = 62, 74, 64
"""Bytes of addresses that libjxl 0.11 takes for a pixel at most, with chroma of half the size and of more, where sides
end at a multiple of 64: 57 to 60 and 66 to 72 for 1 to 17 megapixels of noise. Without them it ends the process."""

_BESIDES = 4 << 20
"""Bytes that it takes of any image in a process that has freed little before: 2 MB."""

_PIECE = 1 << 20
_HEAD = 8  # bytes before the content of a box
_USUAL = 1 << 14  # bytes of a unit; more has one with a large profile, which is not held for the next


def from_jpeg(data: bytes, unit: bytes = b"") -> bytes:
    """The JPEG XL of a JPEG that can be made again of it; empty where libjxl does not take it, or is missing, or
    has no room. Raises Undecodable where there is no header.

    With `unit`, a JPEG of the same headers and of no data to speak of, another JPEG is made of it: one with the
    coefficients of `data`, coded in the way that `unit` is.
    """
    made = _coded(data)
    if not made or not unit:
        return made
    recipe = _usual_recipe_of(unit) if len(unit) <= _USUAL else _recipe_of(unit)
    return _rebuilt_by(made, recipe)


def codestream(data: bytes) -> bytes:
    """The bare codestream of a JPEG, which shows the same and from which no JPEG can be made; empty as
    `from_jpeg` is."""
    return _coded(data, reversible=False)


def _rebuilt_by(data: bytes, recipe: bytes) -> bytes:
    """The JPEG XL in `data`, with what its box `jbrd` is to hold; empty where it has none, or `recipe` is empty."""
    box = _recipe(data)
    if box is None or not recipe:
        return b""
    head = (_HEAD + len(recipe)).to_bytes(4) + jxl_boxes.RECONSTRUCTION
    return data[: box.start - _HEAD] + head + recipe + data[box.end :]


def _recipe_of(unit: bytes) -> bytes:
    made = _coded(unit)
    box = _recipe(made)
    return made[box.start : box.end] if box else b""


_usual_recipe_of = lru_cache(maxsize=16)(_recipe_of)
"""Most JPEGs of a store come from few encoders, and libjxl takes a millisecond for each."""


def _recipe(data: bytes) -> jxl_boxes.Box | None:
    return next((box for box in jxl_boxes.boxes(Held(data)) if box.kind == jxl_boxes.RECONSTRUCTION), None)


def _coded(data: bytes, *, reversible: bool = True) -> bytes:
    library = libjxl.library
    if library is None or not has_room(_room(data) - freed()):
        return b""
    with large_blocks_reused(), libjxl.encoder() as encoder:
        library.JxlEncoderStoreJPEGMetadata(encoder, int(reversible))
        options = library.JxlEncoderFrameSettingsCreate(encoder, None)
        library.JxlEncoderFrameSettingsSetOption(options, libjxl.EFFORT, EFFORT)
        if library.JxlEncoderAddJPEGFrame(options, data, len(data)) != libjxl.SUCCESS:
            return b""
        library.JxlEncoderCloseInput(encoder)
        try:
            return drained(encoder)
        except Unsatisfiable:  # it takes RGB of several samplings at first
            return b""


def _room(data: bytes) -> int:
    """Bytes that must be free to code a JPEG."""
    source = Held(data)
    header = jpeg.header(source)
    width, height = (-(-side // _SIDE) * _SIDE for side in (header.width, header.height))
    return (_HALVED if jpeg.is_halved(source) else _WHOLE) * width * height + _BESIDES


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
