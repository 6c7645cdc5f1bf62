"""The derived container: derived images in the store, for temporary URLs and for the other nodes."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import weakref
from collections.abc import AsyncIterator
from pathlib import Path

from gateway.names import Name
from gateway.rules import CONTENT_TYPES
from service.cache.tickets import Ticket, Tickets
from service.cache.work import Work
from service.derivatives.job import Derivative
from service.store.base import Container, NewObject
from service.store.errors import Corrupt, NotFound, StoreError

MOST_ROUNDS = 10  # of removing what comes back

log = logging.getLogger(__name__)


class DerivedStore:
    """What the container holds tells of itself which original it was made of, and by which `engine`; what tells
    anything else is never used, so what another node left there is harmless. `software` says the same for people:
    `engine.library` and the versions."""

    def __init__(self, container: Container, engine: str, software: str, tickets: Tickets, work: Work) -> None:
        self._container = container
        self._engine = engine
        self._software = software
        self._tickets = tickets
        self._work = work
        self._locks = weakref.WeakValueDictionary[str, asyncio.Lock]()

    async def hold(self, found: Derivative) -> bool:
        """See that the container holds this image; False where it was replaced or evicted meanwhile.

        Raises OSError, StoreFull, Unavailable, and Corrupt where the file changes while it is read.
        """
        name, etag = found.name, found.original or ""
        with self._tickets.hold(name.image) as ticket:
            try:
                async with self._lock(str(name)):
                    if await self.holds(name, etag, found.ends):
                        return ticket.valid
                    with found.file.open() as body, self._work.file(spare=self._work.troubled) as path:
                        await asyncio.to_thread(path.write_bytes, body.read())
                        await self.put(name, etag, path, found.ends)
            except (Corrupt, FileNotFoundError):
                if ticket.valid and found.file.path.exists():
                    raise
                return False
            if ticket.valid:
                return True
        await self.remove(str(name))  # no URL may lead to an old image
        return False

    async def holds(self, name: Name, etag: str, ends: int | None) -> bool:
        """Whether the container has the image, made of this original by this engine, and for no longer than until the
        original `ends`. Raises Unavailable."""
        try:
            found = await self._container.stat(str(name))
        except NotFound:
            return False
        return dict(found.metadata) == self._provenance(etag) and _ends_by(found.ends, ends)

    async def fetch(self, name: Name, etag: str, ends: int | None, target: Path) -> bool:
        """Take the image to `target`, if the container holds it; not to have got it is no failure. Raises OSError."""
        try:
            if not await self.holds(name, etag, ends):
                return False
            # It may have been replaced since: what was fetched has to tell of itself, too.
            found = await self._container.fetch(str(name), target)
        except NotFound:
            return False
        except StoreError as error:
            log.warning("the derived container did not give %s: %s", name, error)
            return False
        return dict(found.metadata) == self._provenance(etag)

    async def put(self, name: Name, etag: str, source: Path, ends: int | None = None) -> None:
        """Have the container hold the image until its original `ends`. Raises OSError, Corrupt when `source` changes
        meanwhile, StoreFull, Unavailable."""
        md5 = await asyncio.to_thread(_md5, source)
        content_type = "application/json" if name.is_meta else CONTENT_TYPES[name.format]
        await self._container.put(NewObject(str(name), source, content_type, md5, self._provenance(etag), ends=ends))

    async def remove(self, name: str) -> None:
        """Remove one image, if it is there. Raises Unavailable."""
        try:
            await self._container.delete(name)
        except NotFound:
            return

    async def remove_all(self, prefix: str) -> int:
        """Remove all that the container holds below a prefix; how many objects that were. Raises Unavailable.

        Looks again afterwards: something may have come meanwhile, or have come back.
        """
        removed = 0
        for _ in range(MOST_ROUNDS):
            found = removed
            async for names in self._pages(prefix):
                removed += await self._container.delete_all(names)
            if removed == found:
                break
        return removed

    async def remove_others(self, image: str, etag: str | None) -> int:
        """Remove what the container holds of an image and what was not made of the original with this ETag, everything
        if there is none; how many objects that were. Raises Unavailable.

        The image may be replaced meanwhile: then it is for that change to remove what is old.
        """
        removed = 0
        with self._tickets.hold(image) as ticket:
            async for names in self._pages(f"{image}/@"):
                if not ticket.valid:
                    break
                if etag is None:
                    removed += await self._container.delete_all(names)
                    continue
                for name in names:
                    removed += await self._remove_other(name, etag, ticket)
        return removed

    async def _remove_other(self, name: str, etag: str, ticket: Ticket) -> int:
        """Remove an object that was made of another original, and none that `hold` stores meanwhile."""
        async with self._lock(name):
            if not ticket.valid or not await self._is_of_another(name, etag) or not ticket.valid:
                return 0
            await self.remove(name)
        return 1

    def _lock(self, name: str) -> asyncio.Lock:
        return self._locks.setdefault(name, asyncio.Lock())

    async def _is_of_another(self, name: str, etag: str) -> bool:
        try:
            kept = await self._container.stat(name)
        except NotFound:
            return False
        return kept.metadata.get("original-etag") != etag

    async def _pages(self, prefix: str) -> AsyncIterator[list[str]]:
        """The names of all that the container holds below a prefix, page by page. Raises Unavailable."""
        marker: str | None = ""
        while marker is not None:
            page = await self._container.list(prefix=prefix, marker=marker)
            if page.objects:
                yield [found.name for found in page.objects]
            marker = page.marker

    def _provenance(self, etag: str) -> dict[str, str]:
        return {"original-etag": etag, "engine": self._engine, "software": self._software}


def _ends_by(one: int | None, latest: int | None) -> bool:
    """Whether an object with the end `one` is gone by the `latest` second that it may be there."""
    return latest is None or (one is not None and one <= latest)


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest()
