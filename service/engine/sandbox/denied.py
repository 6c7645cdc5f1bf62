"""Tell what the sandbox has denied from damage of an image.

Libraries report a call that the kernel refuses as they report any other failure, so it can become an exception that
blames the image. The error that began it is still in the chain of exceptions.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator

from wand.exceptions import BlobError, BlobFatalError, FileOpenError, FileOpenFatalError

from service.engine.job import EngineError

_NUMBERS = (errno.EPERM, errno.EACCES)
"""What seccomp and Landlock answer."""

_TEXTS = tuple(f": {os.strerror(number)}" for number in _NUMBERS)
"""How libraries write them, ImageMagick among them: "unable to create temporary file '/tmp/x': Permission denied"."""

_UNOPENED = (BlobError, BlobFatalError, FileOpenError, FileOpenFatalError)
"""What Wand raises for a file that ImageMagick cannot open. Version 6 gives the reason of another call with it."""


def denial(error: BaseException) -> str | None:
    """What was denied, in the words of the exception that says so, of all that a traceback would show. None where no
    exception does. What the engine says of an image may quote the image, and does not count."""
    return next((f"{type(each).__name__}: {each}" for each in _chain(error) if _is_denial(each)), None)


def _is_denial(error: BaseException) -> bool:
    if isinstance(error, EngineError):
        return False
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno in _NUMBERS
    if isinstance(error, _UNOPENED) and str(error).startswith("unable to "):
        return True
    return any(text in str(error) for text in _TEXTS)


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    each: BaseException | None = error
    while each is not None and id(each) not in seen:
        seen.add(id(each))
        yield each
        each = each.__cause__ or (None if each.__suppress_context__ else each.__context__)
