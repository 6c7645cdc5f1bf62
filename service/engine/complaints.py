"""What ImageMagick says of a file it has read, and what follows: damage is refused, and so is want of memory.

ImageMagick 6 raises some errors and notes others in the image itself, where Wand does not look; of a PNG that it could
not read it says nothing at all.
"""

from __future__ import annotations

import ctypes
import re
from collections.abc import Iterator

from wand.api import libmagick, library
from wand.exceptions import TYPE_MAP, BaseError, BaseFatalError, CacheError, ResourceLimitError, WandException
from wand.image import Image
from wand.resource import limits
from wand.version import QUANTUM_DEPTH

from service.engine.job import TooLarge, Undecodable

PIXEL = 4 * QUANTUM_DEPTH // 8
"""Bytes of a pixel in ImageMagick's cache, at the least."""

_DAMAGE = re.compile(r"premature end|corrupt jpeg data: bad|instead of RST", re.IGNORECASE)
"""Warnings of libjpeg (jerror.h) that pixels are missing or wrong. Its others are harmless, such as bytes too many
between segments, which some cameras write."""

_MEMORY = re.compile(r"memory|cache resources exhausted", re.IGNORECASE)


class _ExceptionInfo(ctypes.Structure):
    """The beginning of MagickCore's ExceptionInfo."""

    _fields_ = (("severity", ctypes.c_int), ("error_number", ctypes.c_int), ("reason", ctypes.c_char_p))


library.GetImageFromMagickWand.argtypes = (ctypes.c_void_p,)
library.GetImageFromMagickWand.restype = ctypes.c_void_p
libmagick.AcquireExceptionInfo.restype = ctypes.c_void_p
libmagick.DestroyExceptionInfo.argtypes = (ctypes.c_void_p,)
_get_image_exception = getattr(libmagick, "GetImageException", None)  # ImageMagick 7 has no use for it
if _get_image_exception:
    _get_image_exception.argtypes = (ctypes.c_void_p, ctypes.c_void_p)


def judge(image: Image, raised: WandException | None, pixels: int, tolerant: bool) -> None:
    """Let an image pass that was read whole, or as far as it goes where that is tolerated.

    `raised` is what reading it raised, `pixels` what it should have. Raises TooLarge, Undecodable.
    """
    problems = [problem for problem in (raised, *_noted(image)) if problem]
    empty = not library.MagickGetNumberImages(image.wand)
    if any(_is_want_of_memory(problem) for problem in problems) or (empty and pixels * PIXEL > limits["memory"]):
        raise TooLarge("the image takes more memory than an engine process may use")
    if empty or (not tolerant and any(_is_damage(problem) for problem in problems)):
        raise Undecodable("the image is damaged") from next(iter(problems), None)


def _noted(image: Image) -> Iterator[WandException | None]:
    yield image.get_exception()
    content = library.GetImageFromMagickWand(image.wand)
    if content is None or _get_image_exception is None:
        return
    info = libmagick.AcquireExceptionInfo()
    try:
        _get_image_exception(content, info)
        noted = _ExceptionInfo.from_address(info)
        if noted.severity:
            yield TYPE_MAP[noted.severity]((noted.reason or b"").decode(errors="replace"))
    finally:
        libmagick.DestroyExceptionInfo(info)


def _is_want_of_memory(problem: WandException) -> bool:
    return isinstance(problem, ResourceLimitError | CacheError) or bool(_MEMORY.search(str(problem)))


def _is_damage(problem: WandException) -> bool:
    return isinstance(problem, BaseError | BaseFatalError) or bool(_DAMAGE.search(str(problem)))
