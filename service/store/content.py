"""Find the content type of a file by its first bytes, for files that were stored without one."""

from __future__ import annotations

import os

from gateway.media_types import UNKNOWN
from gateway.rules import ORIGINAL_TYPES
from service.engine import recognise
from service.engine.headers.source import Source


def content_type(file: int) -> str:
    """The content type of the image in an open file; UNKNOWN where it is none."""
    return ORIGINAL_TYPES.get(recognise.declared_format(_source(file)) or "", UNKNOWN)


def is_image(file: int) -> bool:
    """Whether an open file begins as an image does, damaged or not."""
    return recognise.is_image(_source(file))


def _source(file: int) -> Source:
    return Source(file, 0, os.fstat(file).st_size)
