"""Report the flaws of a file that has all of its pixels, and give the decoders a file without them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from service.engine import libraries
from service.engine.flaws import Mended
from service.engine.formats import functions
from service.engine.headers.source import OpenedFile, Source
from service.engine.job import Job, Result, Undecodable

_FILE = os.memfd_create("mended", os.MFD_CLOEXEC)
"""The one file in memory. It is made when the engine process imports this module; the sandbox forbids it later."""

_MENDERS: dict[str, Callable[[Source, bool], Mended]] = functions(lambda row: row.mender)
_TELLING: dict[str, Callable[[Source], bool]] = functions(lambda row: row.decoder_tells)


def attempt(job: Job, work: Callable[[Job], Result], *, first: bool) -> Result:
    """The result of `work` for the job, and the flaws of its file. Where the file does not decode, `work` is repeated
    with the file without its flaws.

    With `first` the structure is checked before, so that all of its flaws are found, unless the decoder tells of them
    and has told of none; in a file that is to be copied, the compressed parts are checked too. Raises as `work` does,
    and Undecodable where pixels are missing or wrong.
    A job that tolerates damage gets its file as it is.
    """
    if job.tolerant or job.header.format not in _MENDERS:
        return work(job)
    try:
        if not first:
            return work(job)
        deep = job.task == "derive"
        if not deep and _decoder_tells(job):
            result = work(job)
            if result.silent:
                return result
        with mended(job, deep=deep) as other:
            return replace(work(other), flaws=other.flaws)
    except Undecodable as error:
        with mended(job, deep=True) as other:
            if not other.original:
                raise
            try:
                return replace(work(other), flaws=other.flaws)
            except Undecodable:
                raise error from error.__cause__


def _decoder_tells(job: Job) -> bool:
    tells = _TELLING.get(job.header.format)
    if tells is None or libraries.reads(job):
        return False
    try:
        with OpenedFile(Path(job.source)) as source:
            return tells(source)
    except Undecodable:  # the decoder says better what is wrong
        return False


@contextmanager
def mended(job: Job, *, deep: bool) -> Iterator[Job]:
    """The job with a file without flaws as its source, and the flaws in `flaws`; the job itself if there are none.

    The file is in memory, which the resource limits bound. Raises Undecodable where pixels are missing or wrong.
    """
    with OpenedFile(Path(job.source)) as source:
        found = _MENDERS[job.header.format](source, deep)
        told = replace(job, flaws=tuple(found.flaws))
        if not found.pieces:
            yield told
            return
        _write(found)
    try:
        yield replace(told, source=f"/dev/fd/{_FILE}", original=job.source)
    finally:
        os.ftruncate(_FILE, 0)


def _write(found: Mended) -> None:
    """Write the pieces to the file in memory. Nothing remains of an earlier job that was interrupted."""
    os.ftruncate(_FILE, 0)
    with os.fdopen(os.dup(_FILE), "wb") as file:
        file.seek(0)
        for piece in found.pieces:
            for content in piece.chunks() if isinstance(piece, Source) else (piece,):
                file.write(content)
