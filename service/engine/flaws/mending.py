"""Files with flaws that have all of their pixels: told of, and given to the decoders as they should have been."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from service.engine.flaws import Mended
from service.engine.formats import functions
from service.engine.headers.source import OpenedFile, Source
from service.engine.job import Job, Result, Undecodable

_FILE = os.memfd_create("mended", os.MFD_CLOEXEC)
"""A file in memory, made when the engine process loads this: in its sandbox it makes none, so there is but this one."""

_MENDERS: dict[str, Callable[[Source, bool], Mended]] = functions(lambda row: row.mender)


def attempt(job: Job, work: Callable[[Job], Result], *, first: bool) -> Result:
    """What `work` makes of the job, with the flaws of its file; where that does not decode, of the file without them.

    With `first` the structure is looked at before, so that all of its flaws are found, and of a file that is to be
    copied also what is compressed. Raises as `work` does, and Undecodable where pixels are missing or wrong. Of a job
    that tolerates damage nothing is mended.
    """
    if job.tolerant or job.header.format not in _MENDERS:
        return work(job)
    try:
        if not first:
            return work(job)
        with mended(job, deep=job.task == "derive") as other:
            return replace(work(other), flaws=other.flaws)
    except Undecodable as error:
        with mended(job, deep=True) as other:
            if not other.original:
                raise
            try:
                return replace(work(other), flaws=other.flaws)
            except Undecodable:
                raise error from None


@contextmanager
def mended(job: Job, *, deep: bool) -> Iterator[Job]:
    """The job on a file without flaws, these named in it; on its own file where there are none to mend.

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
    """Have the file in memory hold the pieces, and nothing of a job that was broken off before."""
    os.ftruncate(_FILE, 0)
    with os.fdopen(os.dup(_FILE), "wb") as file:
        file.seek(0)
        for piece in found.pieces:
            for content in piece.chunks() if isinstance(piece, Source) else (piece,):
                file.write(content)
