"""A JPEG as JPEG XL, and the JPEG that a JPEG XL was made of: the whole image, its coefficients as they are.

The JPEG is stripped and set upright first, in both directions, so that nothing of its metadata is in what leaves.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from service.engine import geometry, lossless
from service.engine.colour import kept
from service.engine.headers import jpeg as headers
from service.engine.headers import jxl_boxes
from service.engine.headers.source import OpenedFile, Source
from service.engine.job import Job, Result, Undecodable
from service.engine.jpeg import as_coded, recode
from service.engine.jpeg.turn import upright
from service.engine.jxl import transcoding
from service.engine.jxl.held import Held
from service.engine.memory import freed, has_room
from service.engine.provenance.keeping import embedder
from service.engine.stripping import NotCopied

_JPEG = "jpg"
_JXL = "jxl"


def is_asked(job: Job) -> bool:
    """Whether nothing is asked but such an exchange, as far as the job tells."""
    return (job.header.format, job.format) in _EXCHANGES and lossless.touches_nothing(job)


def exchanged(job: Job) -> Result | None:
    """Write the image in its other coding to `job.output`; None where that is not asked, or cannot be.

    Raises Undecodable where the original is a JPEG whose structure is broken, or whose data are damaged, unless the
    job tolerates that.
    """
    if (
        not is_asked(job)
        or kept("copyright", job)
        or not has_room(transcoding.PIXEL * job.header.width * job.header.height - freed())
    ):
        return None
    started = time.perf_counter()
    data = _EXCHANGES[job.header.format, job.format](job)
    if not data:
        return None
    if embed := embedder(job):
        data = embed(data)
    Path(job.output).write_bytes(data)
    size = geometry.upright((job.header.width, job.header.height), job.header.orientation)
    stages = {"encode": time.perf_counter() - started}
    return Result(job.format, *size, 1, len(data), stages, transcoded=True)


def _jpeg_to_jxl(job: Job) -> bytes:
    if job.header.orientation == 1:
        with OpenedFile(Path(job.source)) as source:
            made = _of_sequential(source)
        if made is not None:
            return made
    stripped = lossless.strip_original(replace(job, format=_JPEG, recipe={}))
    return transcoding.from_jpeg(Path(job.output).read_bytes()) if stripped else b""


def _jxl_to_jpeg(job: Job) -> bytes:
    made = _rebuilt(job)
    return _stripped(made, job) if made else b""


def _jxl_to_jxl(job: Job) -> bytes:
    made = _rebuilt(job)
    if made is None:
        return b""
    coded = _of_sequential(made) if job.header.orientation == 1 else None
    if coded is not None:
        return coded
    jpeg = _stripped(made, job)
    return transcoding.from_jpeg(jpeg) if jpeg else b""


def _of_sequential(source: Source) -> bytes | None:
    """The JPEG XL of a JPEG that is sequential, in the coding that takes the least time: libjxl makes the same
    codestream of any. None for all others, and where the data are damaged; empty where libjxl does not take it."""
    try:
        coded = as_coded.as_coded(source)
        if coded and (made := transcoding.from_jpeg(*coded)):
            return made
        jpeg = recode.sequential(source)
    except (NotCopied, Undecodable):  # a damaged JPEG is refused by those that are tried next
        return None
    return transcoding.from_jpeg(jpeg) if jpeg else None


def _rebuilt(job: Job) -> Held | None:
    """The JPEG that a JPEG XL was made of; None where there is none, or it shows another picture."""
    path, header = Path(job.source), job.header
    with OpenedFile(path) as source:
        if header.frames > 1 or not jxl_boxes.is_reversible(source):
            return None
    made = Held(transcoding.to_jpeg(path.read_bytes(), most=header.width * header.height * 4 + (1 << 20)))
    try:
        found = headers.header(made)
    except Undecodable:
        return None
    return made if (found.width, found.height) == (header.width, header.height) else None


def _stripped(made: Held, job: Job) -> bytes:
    """A JPEG with an orientation of its own shows what the JPEG XL shows only where that states the same."""
    try:
        if job.header.orientation != 1:
            return upright(made.data, made, job.header.orientation)
        return b"".join(map(_bytes, recode.pieces(made, keep_icc=True)))
    except (Undecodable, NotCopied):
        return b""


def _bytes(piece: object) -> bytes:
    assert isinstance(piece, bytes)
    return piece


_EXCHANGES: dict[tuple[str, str], Callable[[Job], bytes]] = {
    (_JPEG, _JXL): _jpeg_to_jxl,
    (_JXL, _JPEG): _jxl_to_jpeg,
    (_JXL, _JXL): _jxl_to_jxl,
}
"""By the formats of the original and of the result."""
