"""Find derived images of former originals in the derived container, by comparing the listings of both containers.

They remain if a process is killed between a change of an original and the removal of its derived images. Only listings
are read: an object is suspect if its original is gone, or was stored after the object. The store is asked about each
suspect before anything is removed.
"""

from __future__ import annotations

import asyncio
import heapq
import logging
from collections.abc import AsyncIterator

from service.derivatives.takedown import Takedowns
from service.store.base import Container, StoredObject
from service.store.errors import StoreError

PAGE = 5000  # names of a listing at once
FIRST = 10.0  # seconds after a start, which has more urgent work
INTERVAL = 3600.0  # seconds between two comparisons

log = logging.getLogger(__name__)


class Leftovers:
    """Compares the two containers; `takedowns` gets the images of which something is to be removed."""

    def __init__(self, originals: Container, derived: Container, takedowns: Takedowns) -> None:
        self._originals = originals
        self._derived = derived
        self._takedowns = takedowns

    async def run(self) -> None:
        """Compare soon, since a process may have been killed, and every hour, until cancelled."""
        await asyncio.sleep(FIRST)
        while True:
            try:
                await self.compare()
            except (StoreError, OSError) as error:
                log.warning("the derived container cannot be compared with the originals: %s", error)
            await asyncio.sleep(INTERVAL)

    async def compare(self) -> int:
        """Compare once; how many images are suspect. Raises StoreError, OSError."""
        originals = _by_folder(_objects(self._originals))
        original = await anext(originals, None)
        suspects = set[str]()
        async for kept in _objects(self._derived):
            image, _, leaf = kept.name.rpartition("/")
            if not image or not leaf.startswith("@"):
                continue  # not written by a gateway
            while original and _folder(original.name) < _folder(image):
                original = await anext(originals, None)
            if original is None or original.name != image or kept.modified < original.modified:
                suspects.add(image)
                self._takedowns.add(image)
        return len(suspects)


async def _objects(container: Container) -> AsyncIterator[StoredObject]:
    marker: str | None = ""
    while marker is not None:
        page = await container.list(marker=marker, limit=PAGE)
        for stored in page.objects:
            yield stored
        marker = page.marker
        await asyncio.sleep(0)


async def _by_folder(listed: AsyncIterator[StoredObject]) -> AsyncIterator[StoredObject]:
    """The originals in the order in which a listing has what was derived of them: `a.jpg/@` comes before `a/@`, though
    `a` comes before `a.jpg`. Memory holds those whose names begin the next one."""
    held: list[tuple[str, StoredObject]] = []
    async for stored in listed:
        while held and held[0][0] < stored.name:
            yield heapq.heappop(held)[1]
        heapq.heappush(held, (_folder(stored.name), stored))
    while held:
        yield heapq.heappop(held)[1]


def _folder(image: str) -> str:
    return f"{image}/@"
