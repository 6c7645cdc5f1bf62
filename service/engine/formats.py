"""Which formats the libraries of this machine can read and write."""

from __future__ import annotations

import ctypes

from PIL import Image as Pillow
from PIL import features
from wand.api import libmagick
from wand.exceptions import WandException
from wand.resource import genesis

from service.engine.geometry import Box
from service.engine.picture import Details, Frame, Picture
from service.engine.readers import CODERS, PILLOW
from service.engine.writers import WRITERS, Settings

libmagick.AcquireExceptionInfo.restype = ctypes.c_void_p
libmagick.DestroyExceptionInfo.argtypes = (ctypes.c_void_p,)
libmagick.GetMagickInfo.argtypes = (ctypes.c_char_p, ctypes.c_void_p)
libmagick.GetMagickInfo.restype = ctypes.c_void_p
libmagick.GetImageDecoder.argtypes = (ctypes.c_void_p,)
libmagick.GetImageDecoder.restype = ctypes.c_void_p


def capabilities() -> dict[str, tuple[bool, bool]]:
    """By format word, whether it can be read and whether it can be written; writing is found out by trying."""
    return {word: (_reads(word), _writes(word)) for word in CODERS}


def _reads(word: str) -> bool:
    """Each library tells of what it is used to read; a coder of ImageMagick may be there without its decoder."""
    if word in PILLOW:
        return bool(features.check(word))
    genesis()
    exception = libmagick.AcquireExceptionInfo()
    try:
        info = libmagick.GetMagickInfo(CODERS[word].upper().encode(), exception)
        return bool(info and libmagick.GetImageDecoder(info))
    finally:
        libmagick.DestroyExceptionInfo(exception)


def _writes(word: str) -> bool:
    if word not in WRITERS:
        return False
    size = (16, 16)
    picture = Picture([Frame(Pillow.new("RGB", size, (120, 60, 30)))], Box(0, 0, *size), 1.0, Details())
    try:
        return len(WRITERS[word](picture, Settings(quality=50))) > 0
    except (WandException, OSError, KeyError):
        return False
