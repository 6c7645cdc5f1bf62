"""Follow other nodes: make this node forget what the journal says they have changed.

An entry is settled without a question to the store: what was made of the original that it names stays, anything else
goes, and the next request asks for the original.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing

from gateway.journal import Entry
from service.cache.disk import DerivedTree
from service.cache.images import cached_images, hashed_images
from service.cache.reaper import Reaper
from service.cache.walk import batches
from service.derivatives.derivatives import Derivatives
from service.originals.originals import Originals

AT_ONCE = 32  # images that are forgotten without letting anything else run


class Following:
    """Settles entries of the journal. For `lag` seconds after an entry its original is asked of all replicas."""

    def __init__(
        self,
        originals: Originals,
        derivatives: Derivatives,
        tree: DerivedTree,
        reaper: Reaper,
        executor: ThreadPoolExecutor,
        lag: float,
    ) -> None:
        self._originals = originals
        self._derivatives = derivatives
        self._tree = tree
        self._reaper = reaper
        self._executor = executor
        self._lag = lag

    async def settle(self, entry: Entry) -> None:
        """Forget what the entry says is old. Raises OSError where the disk does not let go of it."""
        name = entry.name or ""
        match entry.kind:
            case "put" | "delete":
                await self._settle_original(entry, name)
            case "purge":
                await self._tree.removed(self._derivatives.forget(name))
            case "purge-prefix":
                await self._forget_prefix(name)
            case "purge-all":
                self._reaper.leave(await self._derivatives.forget_all())

    async def _settle_original(self, entry: Entry, name: str) -> None:
        current = (entry.etag, entry.modified) if entry.tells_original else None
        self._originals.heed(name, current, self._lag)
        marker = self._derivatives.noted(name)
        if marker and current and marker.is_of(*current):
            return
        await self._tree.removed(self._derivatives.settle(name, None))

    async def _forget_prefix(self, prefix: str) -> None:
        """Of images that lie under a hash the name is not known, so all of them go."""
        self._tree.unproven.clear()
        await self._tree.settled()  # what was moved away with an image whose name goes on is back
        local = batches(cached_images(self._tree.root, prefix), self._executor, rest=0.0)
        async with aclosing(local):
            async for batch in local:
                for number, image in enumerate(batch):
                    self._derivatives.forget(image.name)
                    if number % AT_ONCE == 0:
                        await asyncio.sleep(0)
        async for folders in batches(hashed_images(self._tree.root), self._executor):
            for folder in folders:
                self._derivatives.forget_folder(folder.name)
