"""Hold what originals take together below `limits.store_bytes` and `limits.store_images`."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator

from service.store.base import Container, StoredObject, Usage
from service.store.errors import StoreError, StoreFull

FRESH, FRESH_LOCAL = 10.0, 3600.0  # seconds for which a count holds: of Swift's own, and of one that reads the tree

log = logging.getLogger(__name__)


class QuotaReached(StoreFull):
    """The store has no room by a limit of the configuration. The text names it, and is fit for clients."""


class Quota:
    """At most so many `bytes` and `images`, 0 for no limit.

    The store is asked for its count, and again when that is too old; what this node has changed since is added to it.
    What other nodes add meanwhile, and what Swift has not counted yet, may lead beyond a limit.
    """

    def __init__(self, container: Container, bytes: int, images: int, *, remote: bool) -> None:
        self._container = container
        self._bytes = bytes
        self._images = images
        self._remote = remote
        self._counted: Usage | None = None
        self._counted_at = 0.0
        self._since = Usage(0, 0)  # changes of this node since the count began
        self._under_way = Usage(0, 0)
        self._lock = asyncio.Lock()
        self._recount: asyncio.Task[None] | None = None

    @property
    def is_on(self) -> bool:
        return bool(self._bytes or self._images)

    @property
    def usage(self) -> Usage | None:
        """What the store holds as far as this node knows; None where that was not asked for yet."""
        return self._counted + self._since + self._under_way if self._counted else None

    async def check(self, there: StoredObject | None, bytes: int) -> None:
        """Raise QuotaReached where an image of so many bytes, in place of what is there, if anything, has no room.
        Raises Unavailable where the store cannot count."""
        if self.is_on:
            await self._refresh()
            self._compare(_change(there, bytes))

    @contextlib.asynccontextmanager
    async def taking(self, there: StoredObject | None, bytes: int) -> AsyncIterator[None]:
        """`check`, and count the image while it is put into the store and, unless that fails, afterwards."""
        await self.check(there, bytes)
        change = _change(there, bytes)
        self._under_way += change
        try:
            yield
            self._since += change
        finally:
            self._under_way -= change

    def removed(self, there: StoredObject) -> None:
        """Take note that an image was deleted."""
        self._since -= Usage(there.bytes, 1)

    def _compare(self, change: Usage) -> None:
        held = self.usage
        if held is None:
            return
        if self._images and change.images > 0 and held.images + change.images > self._images:
            text = f"the store may hold {self._images} images, and holds {held.images}"
            raise QuotaReached(f"limits.store_images: {text}")
        if self._bytes and change.bytes > 0 and held.bytes + change.bytes > self._bytes:
            text = f"the originals may take {self._bytes} bytes together, and take {held.bytes}"
            raise QuotaReached(f"limits.store_bytes: {text}; {change.bytes} more have no room")

    async def _refresh(self) -> None:
        """Count anew where the count is too old. No request waits for the tree to be read again."""
        if self._is_fresh():
            return
        if self._counted is None or self._remote:
            async with self._lock:
                if not self._is_fresh():
                    await self._count()
        elif self._recount is None or self._recount.done():
            self._recount = asyncio.create_task(self._count_later())

    def _is_fresh(self) -> bool:
        lasts = FRESH if self._remote else FRESH_LOCAL
        return self._counted is not None and time.monotonic() - self._counted_at < lasts

    async def _count(self) -> None:
        before = self._since
        self._counted = await self._container.usage()
        self._since -= before
        self._counted_at = time.monotonic()

    async def _count_later(self) -> None:
        try:
            await self._count()
        except StoreError as error:
            log.warning("the originals cannot be counted: %s", error)


def _change(there: StoredObject | None, bytes: int) -> Usage:
    """What an image of so many bytes adds, in place of what is there."""
    return Usage(bytes - there.bytes, 0) if there else Usage(bytes, 1)
