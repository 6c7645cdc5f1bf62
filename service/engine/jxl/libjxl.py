"""libjxl 0.11 or newer, which decodes and encodes JPEG XL: its types and its functions.

It is loaded with this module, before an engine process is shut off from the file system. Without a parallel runner, of
which there is none here, it works in the thread that calls it.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from service.engine import bundled

_MISSING = "libjxl is not installed"
_NEEDED = ("libbrotlicommon", "libbrotlidec", "libbrotlienc", "liblcms2", "libjxl_cms")
"""What libjxl calls, in this order."""

BASIC_INFO, COLOUR, FRAME, IMAGE, RECONSTRUCTION, BOX = 0x40, 0x100, 0x400, 0x1000, 0x2000, 0x4000
"""JxlDecoderStatus: what happened, of the kinds that may be subscribed to."""

SUCCESS, ERROR, NEED_MORE_INPUT, NEED_IMAGE_OUT, JPEG_NEED_MORE_OUTPUT = 0, 1, 2, 5, 6
MORE_OUTPUT = 2
"""JxlEncoderStatus where the buffer is full."""

EFFORT, BUFFERING = 0, 34
"""JxlEncoderFrameSettingId."""

UINT8, UINT16 = 2, 3
DATA = 1
"""JxlColorProfileTarget: the colour of the pixels as they are handed over."""


class Preview(ctypes.Structure):
    _fields_ = (("width", ctypes.c_uint32), ("height", ctypes.c_uint32))


class Animation(ctypes.Structure):
    """Ticks of a second as a fraction; 0 loops are endless."""

    _fields_ = (
        ("numerator", ctypes.c_uint32),
        ("denominator", ctypes.c_uint32),
        ("loops", ctypes.c_uint32),
        ("has_timecodes", ctypes.c_int),
    )


class BasicInfo(ctypes.Structure):
    """JxlBasicInfo."""

    _fields_ = (
        ("has_container", ctypes.c_int),
        ("width", ctypes.c_uint32),
        ("height", ctypes.c_uint32),
        ("bits", ctypes.c_uint32),
        ("exponent_bits", ctypes.c_uint32),
        ("intensity_target", ctypes.c_float),
        ("min_nits", ctypes.c_float),
        ("relative_to_max_display", ctypes.c_int),
        ("linear_below", ctypes.c_float),
        ("uses_original_profile", ctypes.c_int),
        ("has_preview", ctypes.c_int),
        ("has_animation", ctypes.c_int),
        ("orientation", ctypes.c_int),
        ("colour_channels", ctypes.c_uint32),
        ("extra_channels", ctypes.c_uint32),
        ("alpha_bits", ctypes.c_uint32),
        ("alpha_exponent_bits", ctypes.c_uint32),
        ("alpha_premultiplied", ctypes.c_int),
        ("preview", Preview),
        ("animation", Animation),
        ("intrinsic_width", ctypes.c_uint32),
        ("intrinsic_height", ctypes.c_uint32),
        ("padding", ctypes.c_uint8 * 100),
    )


class PixelFormat(ctypes.Structure):
    """JxlPixelFormat: samples one after another, in the byte order of the machine, without padding."""

    _fields_ = (
        ("channels", ctypes.c_uint32),
        ("type", ctypes.c_int),
        ("endianness", ctypes.c_int),
        ("align", ctypes.c_size_t),
    )


class Colour(ctypes.Structure):
    """JxlColorEncoding."""

    _fields_ = (
        ("space", ctypes.c_int),
        ("white", ctypes.c_int),
        ("white_xy", ctypes.c_double * 2),
        ("primaries", ctypes.c_int),
        ("red_xy", ctypes.c_double * 2),
        ("green_xy", ctypes.c_double * 2),
        ("blue_xy", ctypes.c_double * 2),
        ("transfer", ctypes.c_int),
        ("gamma", ctypes.c_double),
        ("intent", ctypes.c_int),
    )


class FrameHeader(ctypes.Structure):
    """JxlFrameHeader. What stands behind the first four is how a layer is blended, and is never changed here."""

    _fields_ = (
        ("ticks", ctypes.c_uint32),
        ("timecode", ctypes.c_uint32),
        ("name_length", ctypes.c_uint32),
        ("is_last", ctypes.c_int),
        ("layer", ctypes.c_uint32 * 10),
    )


def _load() -> Any:
    loaded = bundled.load("libjxl", _NEEDED)
    if loaded is None:
        return None
    pointer, number, size = ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t
    for create in (loaded.JxlDecoderCreate, loaded.JxlEncoderCreate):
        create.argtypes, create.restype = (pointer,), pointer
    loaded.JxlEncoderFrameSettingsCreate.argtypes = (pointer, pointer)
    loaded.JxlEncoderFrameSettingsCreate.restype = pointer
    loaded.JxlEncoderFrameSettingsSetOption.argtypes = (pointer, number, ctypes.c_int64)
    loaded.JxlEncoderSetFrameDistance.argtypes = (pointer, ctypes.c_float)
    loaded.JxlEncoderAddJPEGFrame.argtypes = (pointer, ctypes.c_char_p, size)
    loaded.JxlEncoderAddImageFrame.argtypes = (pointer, pointer, ctypes.c_char_p, size)
    loaded.JxlEncoderSetICCProfile.argtypes = (pointer, ctypes.c_char_p, size)
    loaded.JxlEncoderAddBox.argtypes = (pointer, ctypes.c_char_p, ctypes.c_char_p, size, number)
    loaded.JxlEncoderProcessOutput.argtypes = (pointer, pointer, pointer)
    loaded.JxlDecoderSetInput.argtypes = (pointer, ctypes.c_char_p, size)
    loaded.JxlDecoderSetImageOutBuffer.argtypes = (pointer, pointer, pointer, size)
    loaded.JxlDecoderSetJPEGBuffer.argtypes = (pointer, pointer, size)
    loaded.JxlDecoderSkipFrames.argtypes = (pointer, size)
    loaded.JxlDecoderSetBoxBuffer.argtypes = (pointer, pointer, size)
    for release in (loaded.JxlDecoderReleaseJPEGBuffer, loaded.JxlDecoderReleaseBoxBuffer):
        release.argtypes, release.restype = (pointer,), size
    for function in ("Destroy", "CloseInput", "ProcessInput", "GetBasicInfo", "GetFrameHeader"):
        getattr(loaded, f"JxlDecoder{function}").argtypes = (pointer, pointer)[: 2 if "Get" in function else 1]
    for function in ("SubscribeEvents", "SetKeepOrientation", "SetUnpremultiplyAlpha", "SetDecompressBoxes"):
        getattr(loaded, f"JxlDecoder{function}").argtypes = (pointer, number)
    loaded.JxlDecoderImageOutBufferSize.argtypes = (pointer, pointer, pointer)
    for function in ("Destroy", "CloseInput", "CloseFrames", "UseBoxes", "CloseBoxes", "GetError"):
        getattr(loaded, f"JxlEncoder{function}").argtypes = (pointer,)
    for function in ("SetBasicInfo", "SetColorEncoding", "SetFrameHeader"):
        getattr(loaded, f"JxlEncoder{function}").argtypes = (pointer, pointer)
    for function in ("UseContainer", "StoreJPEGMetadata", "SetFrameLossless", "SetCodestreamLevel"):
        getattr(loaded, f"JxlEncoder{function}").argtypes = (pointer, number)
    return loaded


library = _load()
"""None where it is missing."""


def is_there() -> bool:
    return library is not None


@contextmanager
def decoder(events: int, data: bytes) -> Iterator[ctypes.c_void_p]:
    """A decoder of a whole file that stops at `events`, for as long as this holds. Raises OSError where the
    library is missing, MemoryError."""
    if library is None:
        raise OSError(_MISSING)
    made = ctypes.c_void_p(library.JxlDecoderCreate(None))
    if not made:
        raise MemoryError
    try:
        library.JxlDecoderSubscribeEvents(made, events)
        library.JxlDecoderSetInput(made, data, len(data))
        library.JxlDecoderCloseInput(made)
        yield made
    finally:
        library.JxlDecoderDestroy(made)


@contextmanager
def encoder() -> Iterator[ctypes.c_void_p]:
    """An encoder, for as long as this holds. Raises OSError where the library is missing, MemoryError."""
    if library is None:
        raise OSError(_MISSING)
    made = ctypes.c_void_p(library.JxlEncoderCreate(None))
    if not made:
        raise MemoryError
    try:
        yield made
    finally:
        library.JxlEncoderDestroy(made)


def version() -> str:
    """Its name with its version; `no libjxl` where it is missing."""
    if library is None:
        return "no libjxl"
    number = library.JxlDecoderVersion()
    return f"libjxl {number // 1_000_000}.{number // 1000 % 1000}.{number % 1000}"
