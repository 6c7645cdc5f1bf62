"""Bound the number of derived images of one image, so that requests for one image cannot evict all others.

A thread counts a folder when a sixteenth of that number was published in it since the last time, and when the count of
the tree has found too many in it. The least recently used files are removed.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import logging
import os
from collections import OrderedDict
from collections.abc import Callable, Iterable
from pathlib import Path

from gateway.paths import MARKER, SMALLER
from service.cache.recency import last_use

SHARE = 16  # a folder may hold more than its number by one part in so many
LOW = 0.9  # of the number, which is left
REMEMBERED = 10_000  # folders of which it is known how much was published in them since they were looked through
BESIDE = 2  # files beside the derived images: the marker and the notes
AT_ONCE = 16  # files that are removed without letting anything else run

log = logging.getLogger(__name__)


class Crowds:
    """`most` derived images may lie in a folder, 0 for any number; `evict` removes files. `run` it as a task.

    `trimmed` counts the files that had to go.
    """

    def __init__(self, most: int, evict: Callable[[Iterable[Path]], int]) -> None:
        self.trimmed = 0
        self._most = most
        self._evict = evict
        self._published: OrderedDict[Path, int] = OrderedDict()
        self._suspects: dict[Path, None] = {}
        self._above: list[str] = []  # the folders with files that the count is in
        self._files: dict[str, int] = {}  # how many the count has found in each of them
        self._found = asyncio.Event()

    def published(self, folder: Path) -> None:
        """A file was published in a folder."""
        if not self._most:
            return
        number = self._published.pop(folder, 0) + 1
        if number >= max(1, self._most // SHARE):
            self.suspect(folder)
            return
        self._published[folder] = number
        if len(self._published) > REMEMBERED:
            self._published.popitem(last=False)

    def counted(self, batch: Iterable[tuple[str, int]]) -> None:
        """The count of the tree has found these paths, in the order of `walk.files`."""
        for path, _ in batch:
            folder, _, leaf = path.rpartition("/")
            while self._above and not f"{folder}/".startswith(f"{self._above[-1]}/"):
                self._files.pop(self._above.pop())
            if self._most and (leaf.startswith("@") or "/@/" in path):
                if folder not in self._files:
                    self._above.append(folder)
                    self._files[folder] = 0
                self._files[folder] += 1
                if self._files[folder] == self._most + BESIDE + 1:
                    self.suspect(Path(folder))

    def suspect(self, folder: Path) -> None:
        """Have a folder looked through."""
        self._suspects[folder] = None
        self._found.set()

    async def run(self) -> None:
        """Look through the folders that may hold too much, until cancelled."""
        while True:
            await self._found.wait()
            self._found.clear()
            await self.trim()

    async def trim(self) -> int:
        """Look through them now; how many files had to go."""
        removed = 0
        while self._suspects:
            folder = next(iter(self._suspects))
            del self._suspects[folder]
            surplus = await asyncio.to_thread(_surplus, folder, self._most)
            gone = 0
            for first in range(0, len(surplus), AT_ONCE):
                gone += self._evict(surplus[first : first + AT_ONCE])
                await asyncio.sleep(0)
            if gone:
                log.info(
                    "%s holds more than %d derived images (cache.derived_per_image); %d went", folder, self._most, gone
                )
            removed += gone
        self.trimmed += removed
        return removed


def _surplus(folder: Path, most: int) -> list[Path]:
    """Where a folder holds more than `most` derived images, those that were unused for longest, down to a tenth below
    that. Empty where it cannot be read."""
    used: list[tuple[float, str]] = []
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name not in (MARKER, SMALLER) and not entry.is_dir(follow_symlinks=False):
                with contextlib.suppress(FileNotFoundError):
                    used.append((last_use(entry.stat(follow_symlinks=False)), entry.path))
    if len(used) <= most:
        return []
    return [Path(path) for _, path in heapq.nsmallest(len(used) - int(LOW * most), used)]
