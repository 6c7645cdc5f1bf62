"""Keeps a tree within its budget: counts it in the background, and evicts what is out of use before it is full.

Eviction is GCLOCK: a hand goes round the tree, and a file goes when the hand finds that nobody read it since it came
by last, and no rounds are left for what it would cost to make again (see `recency`).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

from service.cache.marker import MARKER
from service.cache.recency import last_use, spend_round
from service.cache.usage import BLOCK, HIGH, LOW, Ages, Budget, Usage, taken
from service.cache.walk import batches, files

FILE_CLOCK = 5  # CLOCK_REALTIME_COARSE of clock_gettime(2), from which files get their times
GRAIN = 0.02  # seconds, more than the grain of that clock: only what comes within it may be missed
LOOK = 1.0  # seconds between two looks at the usage
RECOUNT = 3600.0  # seconds after which a tree is counted anew: others may delete files, too
MOST_ROUNDS = 5  # of one eviction: after them every file has spent its rounds, and the count must be wrong
FASTEST = 16  # files that are removed without letting anybody else do something

log = logging.getLogger(__name__)


class Tree(Protocol):
    """What a janitor keeps: it changes nothing itself."""

    root: Path
    usage: Usage

    def evict(self, files: Iterable[Path]) -> int:
        """Remove those of the files that may go; how many did."""


class Janitor:
    """The keeper of one tree. `run` it as a task; `learned` tells that all there is has been counted once."""

    def __init__(self, tree: Tree, budget: Budget, executor: ThreadPoolExecutor) -> None:
        self.budget = budget
        self.learned = False
        self.evicted = 0  # files
        self.rounds = 0  # of the hand
        self.ages: Ages | None = None  # at the last count
        self._tree = tree
        self._executor = executor
        self._hand: AsyncIterator[list[Path | None]] | None = None
        self._wanted = budget

    async def run(self) -> None:
        """Count, then keep watch, until cancelled."""
        counted = -RECOUNT
        while True:
            try:
                if time.monotonic() - counted >= RECOUNT:
                    await self.count()
                    counted = time.monotonic()
                await self.tidy()
            except OSError as error:
                log.warning("%s cannot be looked through: %s", self._tree.root.name, error.strerror)
            await asyncio.sleep(LOOK)

    async def count(self) -> None:
        """Learn what the tree takes, while it is in use: what comes and goes meanwhile, the tree counts itself."""
        await asyncio.sleep(GRAIN)
        usage, found, began = self._tree.usage, Usage(), time.clock_gettime_ns(FILE_CLOCK)
        before, ages = Usage(usage.bytes, usage.files), Ages(time.time())
        async for batch in batches(_seen(str(self._tree.root), began, ages), self._executor):
            found.bytes += sum(batch)
            found.files += len(batch)
        usage.bytes = max(0, usage.bytes - before.bytes + found.bytes)
        usage.files = max(0, usage.files - before.files + found.files)
        self.learned, self.ages = True, ages

    async def tidy(self) -> int:
        """Evict from above the high watermark down to the low one; how many files."""
        if not self.learned or not self._wanted.exceeded(self._tree.usage, HIGH):
            return 0
        removed, last_round = 0, self.rounds + MOST_ROUNDS
        while self._wanted.exceeded(self._tree.usage, LOW) and self.rounds < last_round:
            removed += await self._evict(await self._next())
        if self.rounds >= last_round:
            await self.count()
        self._wanted = self.budget
        self.evicted += removed
        log.log(
            logging.INFO if removed else logging.DEBUG,
            "%s: %d files evicted, %s is left",
            self._tree.root.name,
            removed,
            self._tree.usage,
        )
        return removed

    def make_room(self) -> None:
        """The disk is full although the budget is not spent: give back a tenth of what the tree takes."""
        usage = self._tree.usage
        self._wanted = Budget(min(self.budget.bytes, usage.bytes), min(self.budget.files, usage.files))

    async def _evict(self, unused: list[Path]) -> int:
        removed = 0
        for first in range(0, len(unused), FASTEST):
            if not self._wanted.exceeded(self._tree.usage, LOW):
                break
            removed += self._tree.evict(unused[first : first + FASTEST])
            await asyncio.sleep(0)
        return removed

    async def _next(self) -> list[Path]:
        """What the hand finds to be out of use on its next steps; it starts again where the tree ends."""
        if self._hand is None:
            self._hand = batches(_passed(str(self._tree.root)), self._executor, rest=1.0)
        passed = await anext(self._hand, None)
        if passed is None:
            self._hand = None
            self.rounds += 1
        return [path for path in passed or [] if path]


def _seen(root: str, before: int, ages: Ages) -> Iterator[int]:
    """What every file and folder takes that is there since before a time in nanoseconds since the epoch. When the files
    were last used goes into `ages`."""
    for path, status, is_folder in files(root):
        if not is_folder and not path.endswith(f"/{MARKER}"):
            ages.add(last_use(status))
        if status.st_ctime_ns < before:
            yield BLOCK if is_folder else taken(status.st_size)


def _passed(folder: str) -> Iterator[Path | None]:
    """Let the hand pass every file: its path where it may go, None where it stays. A folder that holds nothing but its
    marker, or not even that, is told by the marker's path."""
    alone = True
    with contextlib.suppress(FileNotFoundError, NotADirectoryError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                alone = False
                yield from _passed(entry.path)
            elif entry.name != MARKER:
                alone = False
                yield _unused(entry.path)
    if alone:
        yield Path(folder, MARKER)


def _unused(path: str) -> Path | None:
    with contextlib.suppress(OSError):
        return None if spend_round(path) else Path(path)
    return None
