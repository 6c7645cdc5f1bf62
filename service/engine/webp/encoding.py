"""Luma and chroma, which need not become RGB for it, or pixels to a still WebP by libwebp itself.

Pillow offers neither the former nor the sharpness of the loop filter.
"""

from __future__ import annotations

import contextlib
import ctypes
from collections.abc import Iterator

from PIL import Image as Pillow

from service.engine.blocks import address
from service.engine.geometry import Size
from service.engine.jpeg.planes import Planes
from service.engine.webp.library import library

_ABI = 0x0210  # WEBP_ENCODER_ABI_VERSION of libwebp 1.3 and later; the upper byte has to match
_DEFAULT = 0  # WEBP_PRESET_DEFAULT
_OUT_OF_MEMORY = (1, 2)  # VP8_ENC_ERROR_OUT_OF_MEMORY and VP8_ENC_ERROR_BITSTREAM_OUT_OF_MEMORY
SHARPNESS = 4
"""Of the loop filter, 0..7; libwebp's default is 0. 4 leaves more detail in the same bytes: 1.2 points of SSIMULACRA2
at quality 30, 0.3 at 65, 0.1 to 0.3 at 80, of transparent pictures 0.5. 7 gives a little more of it, and takes a point
from drawings."""

SHAPING, _USUAL_SHAPING = 60, 50
"""Spatial noise shaping, 0..100, of planes, and libwebp's default, which pixels have: transparent ones lose 0.4 points
by more. Of ten photographs 60 takes 0.4 % fewer bytes at the same SSIMULACRA2, from 1.5 % fewer to 0.9 % more; 70 takes
as many. At 640 pixels and a quality of 80 it is 1 to 3 % fewer, for 0.1 points."""

_USUAL, _TRELLIS = 4, 5
"""Methods without and with trellis quantisation, which takes a seventh more time."""

_MOST, _MORE = 80, 0.5
"""The highest quality at which trellis quantisation pays for a WebP of a WebP, and what is added to it, since alone it
takes 0.3 points of SSIMULACRA2. Over thirteen photographs of 512 and 640 pixels the two save 2 % of the bytes at 30 to
70, 0.8 % at 75 and 0.3 % at 80, and give 0.1 to 0.2 points; at 85 nothing is saved."""

_COLOURED = {"L": "RGB", "LA": "RGBA"}
"""WebP has no gray."""

_int, _pointer = ctypes.c_int, ctypes.c_void_p


class _Config(ctypes.Structure):
    """WebPConfig, up to what is set here; the rest stays as WebPConfigInitInternal sets it."""

    _fields_ = (
        *(("lossless", _int), ("quality", ctypes.c_float), ("method", _int), ("image_hint", _int)),
        *(("target_size", _int), ("target_psnr", ctypes.c_float), ("segments", _int), ("sns_strength", _int)),
        *(("filter_strength", _int), ("filter_sharpness", _int), ("others", _int * 19)),
    )


class _Picture(ctypes.Structure):
    """WebPPicture."""

    _fields_ = (
        *((name, _int) for name in ("use_argb", "colorspace", "width", "height")),
        *((name, _pointer) for name in ("y", "u", "v")),
        *(("y_stride", _int), ("uv_stride", _int), ("a", _pointer), ("a_stride", _int), ("pad1", ctypes.c_uint32 * 2)),
        *(("argb", _pointer), ("argb_stride", _int), ("pad2", ctypes.c_uint32 * 3)),
        *(("writer", _pointer), ("custom_ptr", _pointer), ("extra_info_type", _int), ("extra_info", _pointer)),
        *(("stats", _pointer), ("error_code", _int), ("progress_hook", _pointer), ("user_data", _pointer)),
        *(("pad3", ctypes.c_uint32 * 3), ("pad4", _pointer * 2), ("pad6", ctypes.c_uint32 * 8)),
        *(("memory", _pointer * 2), ("pad7", _pointer * 2)),
    )


class _Writer(ctypes.Structure):
    """WebPMemoryWriter."""

    _fields_ = (
        *(("memory", _pointer), ("size", ctypes.c_size_t), ("most", ctypes.c_size_t)),
        ("pad", ctypes.c_uint32),
    )


def write(planes: Planes, size: Size, quality: float, effort: int) -> bytes:
    """A WebP of `size` with loss: as the planes are, in ITU-R BT.601's ranges and of the sizes that
    `jpeg.planes.plane_sizes` names. `quality` is 1..100, `effort` libwebp's method, 0..6.

    Empty where libwebp cannot code it, as it may be with over 16383 pixels a side. Raises MemoryError.
    """
    picture = _new(size)
    if picture is None:
        return b""
    samples = [plane.tobytes() for plane in planes]  # as long as the encoder reads them
    picture.y, picture.u, picture.v = (ctypes.cast(ctypes.c_char_p(plane), _pointer).value for plane in samples)
    picture.y_stride, picture.uv_stride = planes[0].width, planes[1].width
    return _encoded(picture, quality, effort, SHAPING)


def rewrite(planes: Planes, size: Size, quality: int, effort: int) -> bytes:
    """As `write`, of planes that a WebP has held. To read that takes so long that a seventh more for writing is a
    twentieth of all, so the usual effort includes trellis quantisation."""
    if effort == _USUAL and quality <= _MOST:
        return write(planes, size, quality + _MORE, _TRELLIS)
    return write(planes, size, quality, effort)


def write_pixels(image: Pillow.Image, quality: int, effort: int) -> bytes:
    """A WebP of an image in L, LA, RGB or RGBA with loss, else as `write`: but for the loop filter Pillow's bytes."""
    if image.mode in _COLOURED:
        image = image.convert(_COLOURED[image.mode])
    picture = _new(image.size)
    if library is None or picture is None:
        return b""
    picture.use_argb = 1  # libwebp makes luma and chroma of it, in which colours that are not seen cost nothing
    bring = library.WebPPictureImportRGBA if image.mode == "RGBA" else library.WebPPictureImportRGBX
    try:
        if not bring(ctypes.byref(picture), address(image), 4 * image.width):
            _raise_want_of_memory(picture)
            return b""
        return _encoded(picture, quality, effort, _USUAL_SHAPING)
    finally:
        library.WebPPictureFree(ctypes.byref(picture))


def _new(size: Size) -> _Picture | None:
    picture = _Picture()
    if library is None or not library.WebPPictureInitInternal(ctypes.byref(picture), _ABI):
        return None
    picture.width, picture.height = size
    return picture


def _encoded(picture: _Picture, quality: float, effort: int, shaping: int) -> bytes:
    config = _Config()
    assert library is not None
    if not library.WebPConfigInitInternal(ctypes.byref(config), _DEFAULT, quality, _ABI):
        return b""
    config.method, config.filter_sharpness, config.sns_strength = effort, SHARPNESS, shaping
    with _memory() as writer:
        picture.writer = ctypes.cast(library.WebPMemoryWrite, _pointer)
        picture.custom_ptr = ctypes.addressof(writer)
        if library.WebPEncode(ctypes.byref(config), ctypes.byref(picture)):
            return ctypes.string_at(writer.memory, writer.size)
    _raise_want_of_memory(picture)
    return b""


def _raise_want_of_memory(picture: _Picture) -> None:
    if picture.error_code in _OUT_OF_MEMORY:
        raise MemoryError


@contextlib.contextmanager
def _memory() -> Iterator[_Writer]:
    """Memory that libwebp fills, freed at the end."""
    assert library is not None
    writer = _Writer()
    library.WebPMemoryWriterInit(ctypes.byref(writer))
    try:
        yield writer
    finally:
        library.WebPMemoryWriterClear(ctypes.byref(writer))
