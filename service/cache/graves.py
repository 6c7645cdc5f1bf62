"""Move the folders of forgotten images out of the tree, by one rename each, and put back those of other images in them.

Such a folder may hold folders of other images, whose names continue below it. These are renamed back: at once if they
are requested, the others when a thread has listed them. The reaper deletes the rest. If the process is killed in
between, the cache loses images that were not back yet; the next start deletes what is in the work folder.

If a folder cannot be moved (a layer of an overlay file system), a thread unlinks the image's files where they are.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import stat
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from service.cache.folders import ALONE, holds_files, make_folder, move, unlink_all
from service.cache.usage import Departure, Usage
from service.cache.work import Work

AT_ONCE = 32  # folders that are put back without letting anything else run
LEAF = "@"  # what every file of an image begins with, and no folder of another image does...
HASHED = "@/"  # ...but for those in a folder below this, which holds no others

log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class Removal:
    """One folder that is being removed. `path` is where it was moved to; None while its files are unlinked in place.

    `files` is right once it is `finished`. `failure` is what stops an unlinking in place, or what stopped the move.
    """

    folder: str
    path: Path | None
    departure: Departure | None
    failure: OSError | None = None
    files: int = 0
    finished: asyncio.Event = field(default_factory=asyncio.Event)


class Graves:
    """The removals of one tree, all on one event loop. `settled` is called with those that were unlinked in place,
    `bury` with each folder that may be deleted. `returned` counts the folders that were put back."""

    def __init__(self, root: Path, work: Work, usage: Usage, bury: Callable[[Path], object]) -> None:
        self.returned = 0
        self.settled: Callable[[Removal], None] = lambda _: None
        self._root = root
        self._work = work
        self._usage = usage
        self._bury = bury
        self._open: list[Removal] = []  # those that may still hold folders of other images
        self._waiting: deque[Removal] = deque()
        self._tending: asyncio.Task[None] | None = None

    def take(self, folder: str) -> Removal | None:
        """Remove a folder below the root, without the folders in it; None where there is none.

        It is out of sight when this returns if the removal has a `path`, else when the removal is `finished`.
        """
        for waiting in self._waiting:
            if waiting.folder == folder and waiting.path is None:
                return waiting
        place = f"{self._root}/{folder}"
        if not holds_files(place):
            return None
        try:
            grave = self._work.path()
            move(place, grave)
        except OSError as error:
            removal = Removal(folder, None, None, error)
        else:
            inside = f"{place}/" if folder.startswith(HASHED) else f"{place}/{LEAF}"
            removal = Removal(folder, grave, self._usage.depart(place, inside))
            if grave.stat().st_nlink != ALONE:
                self._open.append(removal)
        self._waiting.append(removal)
        self._wake()
        return removal

    def put_back(self, image: str) -> None:
        """Put back what belongs to an image, where it was moved away with a folder above it."""
        for removal in sorted(self._open, key=lambda each: len(each.folder)):
            if image.startswith(f"{removal.folder}/"):
                self._return(removal, image[len(removal.folder) + 1 :].partition("/")[0])

    def abandon(self) -> None:
        """Put nothing back any more: everything is forgotten."""
        self._open.clear()

    async def finish(self, removal: Removal) -> None:
        """Wait until a removal is settled."""
        self._wake()
        await removal.finished.wait()

    async def finish_all(self) -> None:
        """Wait until all that was taken until now is settled."""
        for removal in list(self._waiting):
            await self.finish(removal)

    def _wake(self) -> None:
        """Settle what waits in the background; without an event loop it waits for `finish`."""
        if self._tending is None or self._tending.done():
            with contextlib.suppress(RuntimeError):
                self._tending = asyncio.get_running_loop().create_task(self._tend())

    async def _tend(self) -> None:
        while self._waiting:
            removal = self._waiting[0]
            try:
                await (self._settle(removal) if removal.path else self._unlink(removal))
            except OSError as error:
                removal.failure = removal.failure or error
                log.warning("what was derived of %s cannot be looked through: %s", removal.folder, error)
            finally:
                self._waiting.popleft()
                removal.finished.set()

    async def _settle(self, removal: Removal) -> None:
        """Put back the folders of other images, count the rest out of the usage, and leave it to the reaper."""
        assert removal.path is not None
        assert removal.departure is not None
        try:
            found = await asyncio.to_thread(_survey, removal.path, removal.departure)
        except OSError:
            self._close(removal)
            raise
        for first in range(0, len(found.folders), AT_ONCE):
            for name in found.folders[first : first + AT_ONCE]:
                self._return(removal, name)
            await asyncio.sleep(0)
        removal.files = found.files
        removal.departure.settle(found.sums)
        self._close(removal)

    def _close(self, removal: Removal) -> None:
        """Nothing is put back from here any more."""
        if removal in self._open:
            self._open.remove(removal)
        assert removal.path is not None
        self._bury(removal.path)

    async def _unlink(self, removal: Removal) -> None:
        unlinked, failure = await asyncio.to_thread(unlink_all, f"{self._root}/{removal.folder}")
        for number, (path, size) in enumerate(unlinked):
            self._usage.add(size, -1, Path(path))
            if number % 256 == 0:
                await asyncio.sleep(0)
        removal.files, removal.failure = len(unlinked), failure
        self.settled(removal)

    def _return(self, removal: Removal, name: str) -> None:
        """Put one folder back, unless there is one at its place by now; then it is lost with the rest. What was moved
        away with a folder above it comes back first, or this would take its place."""
        if removal not in self._open or removal.path is None or removal.departure is None:
            return
        self.put_back(removal.folder)
        place = self._root / removal.folder
        with contextlib.suppress(OSError):
            if (place / name).exists() or not stat.S_ISDIR((removal.path / name).lstat().st_mode):
                return
            make_folder(place, self._usage)
            (removal.path / name).rename(place / name)
            self.returned += 1
            removal.departure.back(f"{place}/{name}")


@dataclass(slots=True)
class _Found:
    """What is in a grave: folders of other images, and how many files of its own; `sums` is for its departure."""

    folders: list[str]
    files: int
    sums: list[tuple[int, int]]


def _survey(grave: Path, departure: Departure) -> _Found:
    """Look through a grave, in a thread. Raises OSError."""
    found = _Found([], 0, [])

    def files() -> Iterator[tuple[str, int]]:
        with os.scandir(grave) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    found.folders.append(entry.name)
                    continue
                found.files += 1
                yield entry.name, entry.stat(follow_symlinks=False).st_size

    found.sums = departure.weigh(files())
    return found
