"""The folders of one engine process: where it finds originals, and where it writes results.

The service makes and removes every file in them. The process opens those of its own jobs, and lists and makes none, so
what it can write is bounded by one file a job. A result is renamed to its place, so both are on one file system.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import itertools
import os
import secrets
import shutil
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from pathlib import Path

from service.engine.job import Job

PREFIX = "engine-"


class Workplace:
    """A folder in each of `roots`. Originals below `readable` are read where they are, others from the folder."""

    def __init__(self, roots: Iterable[Path], readable: Iterable[Path]) -> None:
        """Make the folders, as far as the disks take them."""
        name = PREFIX + secrets.token_hex(8)
        self._folders = tuple(root.absolute() / name for root in roots)
        self._readable = tuple(root.absolute() for root in readable)
        self._serial = itertools.count()
        self.make()

    def make(self) -> None:
        """Make the folders that are missing, as far as the disks take them."""
        for folder in (*self.originals, *self.results):
            with contextlib.suppress(OSError):
                folder.mkdir(0o700, parents=True, exist_ok=True)

    @property
    def originals(self) -> tuple[Path, ...]:
        """Where the process may read."""
        return tuple(folder / "in" for folder in self._folders)

    @property
    def results(self) -> tuple[Path, ...]:
        """Where the process may write the files that are there."""
        return tuple(folder / "out" for folder in self._folders)

    def remove(self) -> None:
        """Remove the folders with all that is in them, as far as the disk lets go of it."""
        for folder in self._folders:
            shutil.rmtree(folder, ignore_errors=True)

    @contextlib.asynccontextmanager
    async def lend(self, job: Job) -> AsyncIterator[Job]:
        """The job with paths that the process can open, for as long as it runs. A source that is gone, it does not
        find. Raises OSError."""
        name = str(next(self._serial))
        lent = job
        try:
            if self._folders and job.source:
                lent = replace(lent, source=str(await self._readable_source(job.source, name)))
            if self._folders and job.output:
                lent = replace(lent, output=str(self._empty_result(Path(job.output), name)))
            yield lent
        finally:
            for folder in (*self.originals, *self.results):
                with contextlib.suppress(OSError):
                    (folder / name).unlink(missing_ok=True)

    @staticmethod
    def deliver(lent: Job, job: Job) -> None:
        """Give what the process wrote its place; an empty file is no result. Raises OSError."""
        if lent.output != job.output and Path(lent.output).stat().st_size:
            Path(lent.output).replace(job.output)

    async def _readable_source(self, path: str, name: str) -> Path:
        source = Path(path)
        root = next((root for root in self._readable if source.is_relative_to(root)), None)
        places = [folder / name for folder in self.originals]
        try:
            ours = _is_ours(source, root or source)
        except FileNotFoundError:
            return places[0]
        if root and ours:
            return source
        failure: OSError | None = None
        for give, allowed in ((os.link, ours), (shutil.copyfile, True)):
            for place in places if allowed else ():
                try:
                    await asyncio.to_thread(give, source, place)
                except OSError as error:
                    failure = error
                else:
                    return place
        raise failure or OSError(errno.ENOENT, os.strerror(errno.ENOENT), str(source))

    def _empty_result(self, output: Path, name: str) -> Path:
        device = output.parent.stat().st_dev
        same = [folder for folder in self.results if folder.is_dir() and folder.stat().st_dev == device]
        if not same:
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV), str(output))
        place = same[0] / name
        os.close(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666))
        return place


def sweep(roots: Iterable[Path]) -> None:
    """Remove the folders that the processes of a killed service have left. Called before any process runs."""
    for root in roots:
        for folder in root.glob(f"{PREFIX}*"):
            shutil.rmtree(folder, ignore_errors=True)


def leave(roots: Iterable[Path]) -> None:
    """Remove the roots in which there is nothing. Called when the last process has ended."""
    for root in roots:
        with contextlib.suppress(OSError):
            root.rmdir()


def _is_ours(path: Path, root: Path) -> bool:
    """Whether a process without capabilities can read the file: root's can read what belongs to root, and may not be
    able to read what another user left in the caches. Raises OSError."""
    if os.geteuid():
        return True
    return all(each.stat().st_uid == 0 for each in (path, *path.parents) if each.is_relative_to(root))
