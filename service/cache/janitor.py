"""Keep a tree within its budget: count it in the background, and evict files that are not in use before it is full.

Eviction is GCLOCK: a hand goes round the tree and removes a file that was not read since the last round and has no
rounds left. A file that is costly to make again has more rounds (see `recency`).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

from gateway.paths import MARKER
from service.cache.recency import last_use, spend_round
from service.cache.usage import BLOCK, HIGH, LOW, Ages, Budget, Usage, taken
from service.cache.walk import GONE, batches, files, pass_over

LOOK = 1.0  # seconds between two looks at the usage
LONGEST = 60.0  # seconds between two looks while nothing can be done, after twice as many each time
RECOUNT = 3600.0  # seconds after which a tree is counted anew: others may delete files, too
MOST_ROUNDS = 5  # of one eviction: after them every file has spent its rounds, and the count must be wrong
MOST_COUNTS = 3  # in a row, where folders that came back may have been missed
FASTEST = 16  # files that are removed before other tasks run

log = logging.getLogger(__name__)


class Tree(Protocol):
    """What a janitor keeps: it changes nothing itself."""

    root: Path
    usage: Usage

    def evict(self, files: Iterable[Path]) -> int:
        """Remove those of the files that may go; how many did."""

    async def settled(self) -> int:
        """Wait until what was moved away is back; how many folders came back until now."""


class Janitor:
    """The keeper of one tree. `run` it as a task; `learned` tells that all there is has been counted once. `counted` is
    called with what a count finds: paths, with the bytes that each takes."""

    def __init__(
        self,
        tree: Tree,
        budget: Budget,
        executor: ThreadPoolExecutor,
        counted: Callable[[list[tuple[str, int]]], None] = lambda _: None,
    ) -> None:
        self.budget = budget
        self._counted = counted
        self.learned = False
        self.evicted = 0  # files
        self.rounds = 0  # of the hand
        self.ages: Ages | None = None  # at the last count
        self._tree = tree
        self._executor = executor
        self._hand: AsyncIterator[list[Path | None]] | None = None
        self._wanted = budget
        self._pause = LOOK

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
                self._pause = min(2 * self._pause, LONGEST)
            await asyncio.sleep(self._pause)

    async def count(self) -> None:
        """Learn what the tree takes, exactly although it is in use. Raises OSError."""
        for _ in range(MOST_COUNTS):
            ages = Ages(time.time())
            with self._tree.usage.counting() as count:
                async for batch in batches(_seen(str(self._tree.root), ages), self._executor):
                    count.find(batch)
                    self._counted(batch)
                await self._tree.settled()  # what comes back later would be in no count
            if count.is_exact:
                break
        self.ages = ages
        if not self.learned:
            self.learned = True
            if self._wanted != self.budget:  # a tenth of what was known of it then would be all there is
                self.make_room()

    async def tidy(self) -> int:
        """Evict from above the high watermark down to the low one; how many files."""
        if not self.learned:
            return 0
        if not self._wanted.exceeded(self._tree.usage, HIGH):
            self._wanted, self._pause = self.budget, LOOK
            return 0
        removed, last_round = 0, self.rounds + MOST_ROUNDS
        while self._wanted.exceeded(self._tree.usage, LOW) and self.rounds < last_round:
            removed += await self._evict(await self._next())
        if self.rounds >= last_round:
            await self.count()
        self._rest(stuck=not removed and self._wanted.exceeded(self._tree.usage, HIGH))
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

    def _rest(self, *, stuck: bool) -> None:
        """How long until the next look: ever longer while nothing can be evicted, which is logged when it begins."""
        if stuck and self._pause == LOOK:
            log.warning("%s: nothing can be evicted of %s", self._tree.root.name, self._tree.usage)
        self._pause = min(2 * self._pause, LONGEST) if stuck else LOOK

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


def _seen(root: str, ages: Ages) -> Iterator[tuple[str, int]]:
    """Every file and folder: its path and what it takes. When the files were last used goes into `ages`."""
    for path, status, is_folder in files(root):
        if not is_folder and not path.endswith(f"/{MARKER}"):
            ages.add(last_use(status))
        yield path, BLOCK if is_folder else taken(status.st_size)


def _passed(folder: str) -> Iterator[Path | None]:
    """Let the hand pass every file: its path where it may go, None where it stays. A folder that holds nothing but its
    marker, or not even that, is named by the marker's path. Raises OSError where the folder itself cannot be read."""
    alone = True
    with contextlib.suppress(*GONE), os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                alone = False
                try:
                    yield from _passed(entry.path)
                except OSError as error:
                    pass_over(entry.path, error)
            elif entry.name != MARKER:
                alone = False
                yield _unused(entry.path)
    if alone:
        yield Path(folder, MARKER)


def _unused(path: str) -> Path | None:
    with contextlib.suppress(OSError):
        return None if spend_round(path) else Path(path)
    return None
