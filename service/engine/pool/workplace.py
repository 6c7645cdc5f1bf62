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
import stat
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
        self.originals = tuple(folder / "in" for folder in self._folders)
        """Where the process may read."""
        self.results = tuple(folder / "out" for folder in self._folders)
        """Where the process may write the files that are there."""
        self.make()

    def make(self) -> None:
        """Make the folders that are missing, as far as the disks take them."""
        for folder in (*self.originals, *self.results):
            with contextlib.suppress(OSError):
                folder.mkdir(0o700, parents=True, exist_ok=True)

    def remove(self) -> None:
        """Remove the folders with all that is in them, as far as the disk lets go of it."""
        for folder in self._folders:
            shutil.rmtree(folder, ignore_errors=True)

    @contextlib.asynccontextmanager
    async def lend(self, job: Job) -> AsyncIterator[Job]:
        """The job with paths that the process can open, for as long as it runs. A source that is gone, it does not
        find. Raises OSError."""
        name = str(next(self._serial))
        source, output, linked = job.source, job.output, bool(self._folders and job.source)
        try:
            if linked:
                source = await self._readable_source(job.source, name)
                linked = source != job.source
            if self._folders and output:
                output = self._empty_result(job.output, name)
            yield replace(job, source=source, output=output)
        finally:
            for folder in (*self.originals, *self.results) if linked else self.results:
                with contextlib.suppress(OSError):
                    os.unlink(f"{folder}/{name}")  # noqa: PTH108  # twice in every job, in half the time of Path's

    @staticmethod
    def deliver(lent: Job, job: Job) -> None:
        """Give what the process wrote its place; an empty file is no result. Raises OSError."""
        if lent.output != job.output and os.stat(lent.output).st_size:  # noqa: PTH116  # in a fifth of Path's time
            os.replace(lent.output, job.output)  # noqa: PTH105

    async def _readable_source(self, path: str, name: str) -> str:
        root = next((root for root in self._readable if path.startswith(f"{root}/")), None)
        places = [f"{folder}/{name}" for folder in self.originals]
        try:
            ours = _is_ours(path, str(root or path))
        except FileNotFoundError:
            return places[0]
        if root and ours:
            return path
        failure: OSError | None = None
        for place in places if ours else ():
            try:
                os.link(path, place)  # the caches' disk, as a rename
            except OSError as error:
                failure = error
            else:
                return place
        for place in places:
            try:
                await asyncio.to_thread(shutil.copyfile, path, place)
            except OSError as error:
                failure = error
            else:
                return place
        raise failure or OSError(errno.ENOENT, os.strerror(errno.ENOENT), path)

    def _empty_result(self, output: str, name: str) -> str:
        device = os.stat(os.path.dirname(output)).st_dev  # noqa: PTH116, PTH120
        same = next((folder for folder in self.results if _device(folder) == device), None)
        if same is None:
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV), output)
        place = f"{same}/{name}"
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


def _is_ours(path: str, root: str) -> bool:
    """Whether a process without capabilities can read the file: root's can read what belongs to root, and may not be
    able to read what another user left in the caches. Raises OSError."""
    if os.geteuid():
        return True
    while os.stat(path).st_uid == 0:  # noqa: PTH116
        if path == root:
            return True
        path = os.path.dirname(path)  # noqa: PTH120
    return False


def _device(folder: Path) -> int | None:
    """The file system of a folder, None where there is no folder."""
    try:
        status = os.stat(folder)  # noqa: PTH116
    except OSError:
        return None
    return status.st_dev if stat.S_ISDIR(status.st_mode) else None
