"""A still WebP to pixels by libwebp itself, in half of the time that Pillow takes, which has every WebP drawn onto a
canvas as animations need it: 42 ms of CPU for 2040x1666 pixels against 92, and half of the memory.

The library is the one that Pillow brings along, so both decode to the same pixels.
"""

from __future__ import annotations

import ctypes
from pathlib import Path

from PIL import Image as Pillow
from PIL import features

from service.engine.blocks import block
from service.engine.geometry import Size

_ABI = 0x0209  # WEBP_DECODER_ABI_VERSION of libwebp 1.0 and later; the upper byte has to match
_RGBA = 1  # WEBP_CSP_MODE
_OK, _OUT_OF_MEMORY = 0, 1  # VP8StatusCode

_int = ctypes.c_int


class _Features(ctypes.Structure):
    """WebPBitstreamFeatures."""

    _fields_ = (
        *((name, _int) for name in ("width", "height", "has_alpha", "has_animation", "format")),
        ("pad", ctypes.c_uint32 * 5),
    )


class _Buffer(ctypes.Structure):
    """WebPDecBuffer, with the WebPRGBABuffer of its union, which another of 80 bytes shares."""

    _fields_ = (
        *((name, _int) for name in ("colorspace", "width", "height", "is_external_memory")),
        *(("rgba", ctypes.c_void_p), ("stride", _int), ("size", ctypes.c_size_t), ("union", ctypes.c_uint8 * 56)),
        *(("pad", ctypes.c_uint32 * 4), ("private", ctypes.c_void_p)),
    )


class _Config(ctypes.Structure):
    """WebPDecoderConfig; all options stay as WebPInitDecoderConfigInternal sets them."""

    _fields_ = (("input", _Features), ("output", _Buffer), ("options", ctypes.c_uint32 * 19))


def _load() -> ctypes.CDLL | None:
    if not features.check("webp"):
        return None
    from PIL import _webp  # noqa: PLC0415

    loaded, config = ctypes.CDLL(_webp.__file__), ctypes.POINTER(_Config)  # which finds what it is linked to as well
    try:
        loaded.WebPInitDecoderConfigInternal.argtypes = (config, _int)
        loaded.WebPDecode.argtypes = (ctypes.c_char_p, ctypes.c_size_t, config)
    except AttributeError:
        return None
    return loaded


library = _load()
"""None where Pillow has libwebp built in."""


def decoded(path: Path, mode: str, size: Size, _: int) -> Pillow.Image | None:
    """The pixels of a still WebP of `size`, in the `mode` that Pillow has for it: RGB or RGBA.

    None where Pillow has to try instead: what moves, and what is damaged. Raises MemoryError.
    """
    config = _Config()
    if library is None or not library.WebPInitDecoderConfigInternal(config, _ABI):
        return None
    image, address = block(mode, size)
    width, height = size
    output = config.output
    output.colorspace, output.is_external_memory = _RGBA, 1
    output.rgba, output.stride, output.size = address, 4 * width, 4 * width * height
    data = path.read_bytes()
    status = library.WebPDecode(data, len(data), config)  # writes nothing beyond the memory that it is told of
    if status == _OUT_OF_MEMORY:
        raise MemoryError
    return image if status == _OK and (output.width, output.height) == size else None
