"""A JPEG turned upright without decoding it: its blocks of coefficients change places, and no sample is rounded again.

libjpeg-turbo's own library does the work (`jpegtran` is made of the same code). Where it is missing nothing is turned
here, and the caller encodes once more.
"""

from __future__ import annotations

from pathlib import Path

from service.engine.headers.source import OpenedFile, Source
from service.engine.job import Header
from service.engine.jpeg.recode import PERFECT, recoded, with_profile
from service.engine.stripping import NotCopied
from service.engine.stripping.jpeg import profile_segments

_OPERATIONS = {2: 1, 3: 6, 4: 2, 5: 3, 6: 5, 7: 4, 8: 7}
"""By EXIF's orientation, what shows the image upright: TJXOP_HFLIP is 1, then come VFLIP, TRANSPOSE, TRANSVERSE, ROT90
(which is clockwise), ROT180, ROT270."""


def turned(path: Path, header: Header) -> bytes | None:
    """The JPEG in `path`, stored as `header.orientation` (2..8) shows it, without metadata but for an ICC profile that
    is not sRGB's; progressive, with the coefficients it had.

    None where that cannot be: a side that would come first does not end with a whole block, the data are damaged, they
    do not fit into memory, or the library is missing. Raises Undecodable where the structure is broken, OSError where
    `path` cannot be read.
    """
    try:
        with OpenedFile(path) as source:
            return upright(path.read_bytes(), source, header.orientation) or None
    except NotCopied:
        return None


def upright(data: bytes, source: Source, orientation: int) -> bytes:
    """The same of the JPEG in `data`, which `source` gives, too; empty where that cannot be. Raises NotCopied where its
    profile cannot be written."""
    made = recoded(data, _OPERATIONS[orientation], PERFECT, progressive=True, strict=True)
    return with_profile(made, profile_segments(source)) if made else b""
