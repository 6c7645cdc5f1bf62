"""Which formats this machine's ImageMagick can read and write."""

from __future__ import annotations

import ctypes
from functools import cache

from PIL import Image as Pillow
from wand.api import libmagick
from wand.exceptions import WandException
from wand.resource import genesis

from service.engine.formats import FORMATS
from service.engine.geometry import Box
from service.engine.magick.writing import WRITERS, Settings
from service.engine.picture import Details, Frame, Picture

libmagick.AcquireExceptionInfo.restype = ctypes.c_void_p
libmagick.DestroyExceptionInfo.argtypes = (ctypes.c_void_p,)
libmagick.GetMagickInfo.argtypes = (ctypes.c_char_p, ctypes.c_void_p)
libmagick.GetMagickInfo.restype = ctypes.c_void_p
libmagick.GetImageDecoder.argtypes = (ctypes.c_void_p,)
libmagick.GetImageDecoder.restype = ctypes.c_void_p
libmagick.GetMagickBlobSupport.argtypes = (ctypes.c_void_p,)
libmagick.GetMagickBlobSupport.restype = ctypes.c_int


@cache
def reads(word: str) -> bool:
    """Return True if there is a decoder; some coders have none."""
    info = _info(word)
    return bool(info and libmagick.GetImageDecoder(info))


@cache
def reads_memory(word: str) -> bool:
    """Return True if it is decoded from memory. ImageMagick writes a temporary file for the others, which the sandbox
    forbids: version 7 for AVIF and HEIC."""
    info = _info(word)
    return bool(info and libmagick.GetMagickBlobSupport(info))


def _info(word: str) -> int | None:
    """What ImageMagick knows of a format, which it never frees."""
    genesis()
    exception = libmagick.AcquireExceptionInfo()
    try:
        info: int | None = libmagick.GetMagickInfo(FORMATS[word].coder.encode(), exception)
        return info
    finally:
        libmagick.DestroyExceptionInfo(exception)


@cache
def writes(word: str) -> bool:
    """Return True if a small picture can be written; it is tried."""
    return word in WRITERS and tried(WRITERS[word])


def tried(write: object) -> bool:
    """Return True if a writer writes a small picture."""
    size = (16, 16)
    picture = Picture([Frame(Pillow.new("RGB", size, (120, 60, 30)))], Box(0, 0, *size), 1.0, Details())
    try:
        return callable(write) and len(write(picture, Settings(quality=50))) > 0
    except (WandException, OSError, KeyError, ValueError):  # the last for what Wand has no word for
        return False
