"""A still WebP to pixels, or to luma and chroma, by libwebp itself.

It takes half of the time that Pillow takes, which has every WebP drawn onto a canvas as animations need it: 42 ms of
CPU for 2040x1666 pixels against 92, and half of the memory. The library is the one that Pillow brings along, so both
decode to the same pixels.
"""

from __future__ import annotations

import ctypes
from pathlib import Path

from PIL import Image as Pillow

from service.engine.blocks import block
from service.engine.geometry import Size
from service.engine.jpeg.planes import Planes
from service.engine.webp.library import library

_ABI = 0x0209  # WEBP_DECODER_ABI_VERSION of libwebp 1.0 and later; the upper byte has to match
_RGBA, _YUV = 1, 11  # WEBP_CSP_MODE
_OK, _OUT_OF_MEMORY = 0, 1  # VP8StatusCode
_LOSSY = 1  # the format of WebPBitstreamFeatures
_BYPASS_FILTERING = 0  # the place among the options

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


class _YUVA(ctypes.Structure):
    """WebPYUVABuffer, in the place of `_Buffer.rgba` and what follows it; alpha stays away."""

    _fields_ = (
        *((name, ctypes.c_void_p) for name in ("y", "u", "v", "a")),
        *((f"{name}_stride", _int) for name in ("y", "u", "v", "a")),
        *((f"{name}_size", ctypes.c_size_t) for name in ("y", "u", "v", "a")),
    )


class _Config(ctypes.Structure):
    """WebPDecoderConfig; options stay as WebPInitDecoderConfigInternal sets them, but for one."""

    _fields_ = (("input", _Features), ("output", _Buffer), ("options", ctypes.c_uint32 * 19))


def decoded(path: Path, mode: str, size: Size, _: int) -> Pillow.Image | None:
    """The pixels of a still WebP of `size`, in the `mode` that Pillow has for it: RGB or RGBA.

    None where Pillow has to try instead: what moves, and what is damaged. Raises MemoryError.
    """
    config = _Config()
    if library is None or not library.WebPInitDecoderConfigInternal(ctypes.byref(config), _ABI):
        return None
    image, address = block(mode, size)
    width, height = size
    output = config.output
    output.colorspace, output.is_external_memory = _RGBA, 1
    output.rgba, output.stride, output.size = address, 4 * width, 4 * width * height
    data = path.read_bytes()
    # It writes nothing beyond the memory that these fields name.
    status = library.WebPDecode(data, len(data), ctypes.byref(config))
    if status == _OUT_OF_MEMORY:
        raise MemoryError
    return image if status == _OK and (output.width, output.height) == size else None


def planes(data: bytes, size: Size, _n: int, filtered: bool) -> Planes | None:
    """Luma and chroma of a still, opaque WebP of `size` with loss, in ITU-R BT.601's ranges (16..235, 16..240).

    Chroma is half of luma, which goes a column or a row beyond an image of an odd size. Without `filtered` edges of
    blocks are not smoothed (RFC 6386, 15), which takes a tenth less and is not seen in a much smaller result.

    None for any other file, and for a damaged one. Raises MemoryError.
    """
    config = _Config()
    if library is None or not library.WebPInitDecoderConfigInternal(ctypes.byref(config), _ABI):
        return None
    found = config.input
    if library.WebPGetFeaturesInternal(data, len(data), ctypes.byref(found), _ABI) != _OK:
        return None
    if (found.width, found.height) != size or found.format != _LOSSY or found.has_alpha or found.has_animation:
        return None
    width, height = (size[0] + 1) // 2, (size[1] + 1) // 2
    blocks = [block("L", one) for one in ((2 * width, 2 * height), (width, height), (width, height))]
    output = config.output
    output.colorspace, output.is_external_memory = _YUV, 1
    buffer = _YUVA.from_buffer(output, _Buffer.rgba.offset)
    for name, (image, address) in zip("yuv", blocks, strict=True):
        setattr(buffer, name, address)
        setattr(buffer, f"{name}_stride", image.width)
        setattr(buffer, f"{name}_size", image.width * image.height)
    config.options[_BYPASS_FILTERING] = not filtered
    status = library.WebPDecode(data, len(data), ctypes.byref(config))
    if status == _OUT_OF_MEMORY:
        raise MemoryError
    if status != _OK:
        return None
    luma, cb, cr = (image for image, _ in blocks)
    _repeat_edges(luma, size)
    return luma, cb, cr


def _repeat_edges(image: Pillow.Image, size: Size) -> None:
    """Fill what lies beyond `size` with the last column and the last row."""
    width, height = size
    if image.width > width:
        image.paste(image.crop((width - 1, 0, width, height)), (width, 0))
    if image.height > height:
        image.paste(image.crop((0, height - 1, image.width, height)), (0, height))
