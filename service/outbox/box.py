"""The objects of the outbox in the journal container: messages below `outbox/`, dead letters below `dead/`, signs of
life of nodes below `alive/`."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator, Sequence

from service.cache.work import Work
from service.store.base import Container, NewObject, StoredObject
from service.store.errors import NotFound

OUTBOX, DEAD, ALIVE = "outbox/", "dead/", "alive/"
PAGE = 1000  # names of a listing at once
CONTENT_TYPE = "application/json"


class Box:
    """Small objects by their names. Every method raises StoreError and OSError."""

    def __init__(self, container: Container, work: Work) -> None:
        self._container = container
        self._work = work

    async def put(self, name: str, text: bytes) -> None:
        """Write an object, or write it anew."""
        digest = hashlib.md5(text, usedforsecurity=False).hexdigest()
        await self._container.put(NewObject(name, text, CONTENT_TYPE, digest))

    async def read(self, name: str) -> bytes:
        """The object's bytes. Raises NotFound."""
        with self._work.file(spare=self._work.troubled) as path:
            await self._container.fetch(name, path)
            return await asyncio.to_thread(path.read_bytes)

    async def remove(self, name: str) -> None:
        """See that there is no such object."""
        with contextlib.suppress(NotFound):
            await self._container.delete(name)

    async def pages(self, prefix: str) -> AsyncIterator[Sequence[StoredObject]]:
        """The objects below a prefix, in the order of their names."""
        marker: str | None = ""
        while marker is not None:
            page = await self._container.list(prefix=prefix, marker=marker, limit=PAGE)
            marker = page.marker
            yield page.objects
