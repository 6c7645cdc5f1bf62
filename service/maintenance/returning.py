"""A node that comes back: forget what other nodes have changed meanwhile, before what is on its disk is served.

Where it was away, or cut off while it served, for longer than the journal reaches, what is on the disk is of unknown
age (see `cache.unproven`).
"""

from __future__ import annotations

import asyncio
import errno
import logging
from concurrent.futures import ThreadPoolExecutor

from service.cache.disk import DerivedTree
from service.cache.reaper import Reaper
from service.cache.usage import HIGH, Budget
from service.derivatives.derivatives import Derivatives
from service.journal.reader import Reader
from service.originals.originals import Originals
from service.runtime.settled import Settled
from service.store.errors import StoreError

LOOK = 60.0  # seconds between two looks at what the images of unknown age take

log = logging.getLogger(__name__)


class Returning:
    """Settles a node's disk. `reader` is None where the store has no journal: then nothing waits."""

    def __init__(
        self,
        reader: Reader | None,
        originals: Originals,
        derivatives: Derivatives,
        tree: DerivedTree,
        reaper: Reaper,
    ) -> None:
        self._reader = reader
        self._originals = originals
        self._derivatives = derivatives
        self._tree = tree
        self._reaper = reaper

    async def settle(self, settled: Settled) -> None:
        """Read the journal from where this node was, as long as the store has time for that. Raises OSError."""
        if self._reader:
            self._reader.missed = self._hide
            try:
                async with settled.waiting(), asyncio.timeout(max(settled.left, 0.1)):
                    await self._reader.read()
            except (TimeoutError, StoreError, OSError) as error:
                log.warning(
                    "the journal cannot be read yet (%s): what is on the disk is served as it is, also what other nodes"
                    " have replaced meanwhile; it is settled when the store answers",
                    str(error) or "no answer in time",
                )
        settled.tell()

    async def run(self, budget: Budget, executor: ThreadPoolExecutor) -> None:
        """See that what is of unknown age and the tree together stay within the budget, until cancelled."""
        unproven = self._tree.unproven
        while True:
            if unproven.is_there and not unproven.is_counted:
                await unproven.count(executor)
            if unproven.is_there and not unproven.fits(budget, HIGH):
                log.info("the cache is full: what was not asked for since this node came back is deleted")
                unproven.clear()
            await asyncio.sleep(LOOK)

    def make_room(self) -> bool:
        """Delete what is of unknown age; whether there was any. Raises OSError."""
        unproven = self._tree.unproven
        there = unproven.is_there
        unproven.clear()
        return there

    async def _hide(self) -> None:
        self._originals.forget_known()
        try:
            if self._tree.hide():
                log.warning(
                    "this node was away for longer than the journal reaches: each image is served again when the store"
                    " has said that it is current"
                )
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            self._reaper.leave(await self._derivatives.forget_all())  # a tree that cannot be moved as a whole
