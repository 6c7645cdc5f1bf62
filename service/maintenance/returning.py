"""A node that comes back: forget what other nodes have changed meanwhile, before what is on its disk is served.

Where it was away for longer than the journal reaches, what is on the disk is of unknown age (see `cache.unproven`).
"""

from __future__ import annotations

import asyncio
import errno
import logging
import time
from concurrent.futures import ThreadPoolExecutor

from service.cache.reaper import Reaper
from service.cache.unproven import Unproven
from service.cache.usage import HIGH, Budget
from service.derivatives.derivatives import Derivatives
from service.journal.reader import Reader
from service.runtime.settled import Settled
from service.store.base import Store
from service.store.errors import StoreError

MOST_MISSED = 500_000  # entries: with so many, the oldest may have gone before their time
LOOK = 60.0  # seconds between two looks at what the images of unknown age take

log = logging.getLogger(__name__)


class Returning:
    """Settles a node's disk at its start. `reader` is None where the store has no journal: then nothing waits."""

    def __init__(
        self, reader: Reader | None, store: Store, derivatives: Derivatives, unproven: Unproven, reaper: Reaper
    ) -> None:
        self._reader = reader
        self._store = store
        self._derivatives = derivatives
        self._unproven = unproven
        self._reaper = reaper

    async def settle(self, settled: Settled) -> None:
        """Read the journal from where this node was, as long as the store has time for that. Raises OSError."""
        reader = self._reader
        if reader:
            if not reader.reaches(self._store.now() or time.time()):
                await self._hide()
                reader.begin_anew(self._store.now() or time.time())
            try:
                async with settled.waiting(), asyncio.timeout(max(settled.left, 0.1)):
                    if await reader.read() > MOST_MISSED:
                        await self._hide()
            except (TimeoutError, StoreError, OSError) as error:
                log.warning(
                    "the journal cannot be read yet (%s): what is on the disk is served as it is, also what other nodes"
                    " have replaced meanwhile; it is settled when the store answers",
                    str(error) or "no answer in time",
                )
        settled.tell()

    async def run(self, budget: Budget, executor: ThreadPoolExecutor) -> None:
        """See that what is of unknown age and the tree together stay within the budget, until cancelled."""
        if self._unproven.is_there:
            await self._unproven.count(executor)
        while True:
            if self._unproven.is_there and not self._unproven.fits(budget, HIGH):
                log.info("the cache is full: what was not asked for since this node came back is deleted")
                self._unproven.clear()
            await asyncio.sleep(LOOK)

    async def _hide(self) -> None:
        try:
            if self._unproven.hide():
                log.warning(
                    "this node was away for longer than the journal reaches: each image is served again when the store"
                    " has said that it is current"
                )
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            self._reaper.leave(await self._derivatives.forget_all())  # a tree that cannot be moved as a whole
