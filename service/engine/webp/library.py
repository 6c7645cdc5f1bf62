"""libwebp itself, the one that Pillow brings along, and the types of its functions."""

from __future__ import annotations

import ctypes

from PIL import features

_int, _bytes, _pointer = ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p


def _load() -> ctypes.CDLL | None:
    if not features.check("webp"):
        return None
    from PIL import _webp  # noqa: PLC0415

    loaded = ctypes.CDLL(_webp.__file__)  # which finds what it is linked to as well
    types: dict[str, tuple[type, ...]] = {
        "WebPInitDecoderConfigInternal": (_pointer, _int),
        "WebPGetFeaturesInternal": (_bytes, ctypes.c_size_t, _pointer, _int),
        "WebPDecode": (_bytes, ctypes.c_size_t, _pointer),
        "WebPConfigInitInternal": (_pointer, _int, ctypes.c_float, _int),
        "WebPPictureInitInternal": (_pointer, _int),
        "WebPPictureImportRGBA": (_pointer, _pointer, _int),
        "WebPPictureImportRGBX": (_pointer, _pointer, _int),
        "WebPPictureFree": (_pointer,),
        "WebPEncode": (_pointer, _pointer),
        "WebPMemoryWriterInit": (_pointer,),
        "WebPMemoryWriterClear": (_pointer,),
        "WebPMemoryWrite": (),
    }
    try:
        for name, arguments in types.items():
            getattr(loaded, name).argtypes = arguments
    except AttributeError:
        return None
    return loaded


library = _load()
"""None where Pillow has no libwebp built in, or none that has these functions."""
