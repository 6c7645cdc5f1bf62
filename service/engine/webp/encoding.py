"""Luma and chroma to a WebP by libwebp itself, which need not become RGB for it.

Pillow offers neither this nor the sharpness of the loop filter.
"""

from __future__ import annotations

import contextlib
import ctypes
from collections.abc import Iterator

from service.engine.geometry import Size
from service.engine.jpeg.planes import Planes
from service.engine.webp.library import library

_ABI = 0x0210  # WEBP_ENCODER_ABI_VERSION of libwebp 1.3 and later; the upper byte has to match
_DEFAULT = 0  # WEBP_PRESET_DEFAULT
_OUT_OF_MEMORY = (1, 2)  # VP8_ENC_ERROR_OUT_OF_MEMORY and VP8_ENC_ERROR_BITSTREAM_OUT_OF_MEMORY
_SHARPNESS = 4
"""Of the loop filter, 0..7; libwebp's default is 0. 4 leaves more detail in the same bytes: 1.2 points of SSIMULACRA2
at quality 30, 0.3 at 65, 0.1 to 0.3 at 80. 7 gives a little more of it, and takes a point from drawings."""

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


def write(planes: Planes, size: Size, quality: int, effort: int) -> bytes:
    """A WebP of `size` with loss: as the planes are, in ITU-R BT.601's ranges and of the sizes that
    `jpeg.planes.plane_sizes` names. `quality` is 1..100, `effort` libwebp's method, 0..6.

    Empty where libwebp cannot code it, as it may be with over 16383 pixels a side. Raises MemoryError.
    """
    config, picture = _Config(), _Picture()
    if library is None or not library.WebPConfigInitInternal(ctypes.byref(config), _DEFAULT, quality, _ABI):
        return b""
    if not library.WebPPictureInitInternal(ctypes.byref(picture), _ABI):
        return b""
    config.method, config.filter_sharpness = effort, _SHARPNESS
    samples = [ctypes.create_string_buffer(plane.tobytes(), plane.width * plane.height) for plane in planes]
    picture.width, picture.height = size
    picture.y, picture.u, picture.v = map(ctypes.addressof, samples)
    picture.y_stride, picture.uv_stride = planes[0].width, planes[1].width
    with _memory() as writer:
        picture.writer = ctypes.cast(library.WebPMemoryWrite, _pointer)
        picture.custom_ptr = ctypes.addressof(writer)
        if library.WebPEncode(ctypes.byref(config), ctypes.byref(picture)):
            return ctypes.string_at(writer.memory, writer.size)
    if picture.error_code in _OUT_OF_MEMORY:
        raise MemoryError
    return b""


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
