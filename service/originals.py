"""The originals on this node: fetched once, whole and verified, and read by everything that is derived of them."""

from __future__ import annotations

import asyncio
import hashlib
import os
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from service.cache.flight import Flights
from service.engine.job import EngineError, Header
from service.engine.recognise import recognise
from service.store.base import Container, NotFound, StoredObject

MOST_KNOWN = 20_000  # originals whose properties are remembered, and names that are known to be missing
MISSING_FOR = 2.0  # seconds that a 404 is remembered
REASK = 1.0  # seconds between two questions about an original whose links name another version


@dataclass(frozen=True, slots=True)
class Original:
    """A complete copy of an original in `path`; `header` is what its first bytes tell."""

    stored: StoredObject
    path: Path
    header: Header


@dataclass(slots=True)
class _Known:
    stored: StoredObject | None
    checked: float
    header: Header | EngineError | None = None


class Originals:
    """The copies below `root`, named by a hash of name and ETag, so that a replaced original is another file.

    `revalidate` is how many seconds old may be what is known of an original.
    """

    def __init__(self, container: Container, root: Path, work: Path, revalidate: float) -> None:
        self._container = container
        self._root = root
        self._work = work
        self._revalidate = revalidate
        self._listeners: list[Callable[[str], object]] = []
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._fetches: Flights[Original] = Flights()

    def on_change(self, listener: Callable[[str], object]) -> None:
        """Have `listener` called, on the event loop, with the name of every original that is other than it was."""
        self._listeners.append(listener)

    async def stat(self, name: str, *, fresh: bool = False) -> StoredObject:
        """What the store holds under this name, not older than `revalidate`. Raises NotFound, Unavailable."""
        known = self._known.get(name)
        age = time.monotonic() - known.checked if known else 0.0
        if known and known.stored is None and age < MISSING_FOR and not fresh:
            raise NotFound(name)
        if known and known.stored and age < self._revalidate and not fresh:
            return known.stored
        try:
            stored = await self._container.stat(name)
        except NotFound:
            if self._known.get(name) is known:
                self.learn(name, None)
            raise
        if self._known.get(name) is not known:  # somebody learned better while the store was answering
            return await self.stat(name)
        self.learn(name, stored)
        return stored

    async def get(self, name: str) -> Original:
        """The original, fetched if it is not here. Raises what the store raises, NotAnImage and Undecodable."""
        stored = await self.stat(name)
        path = self._path(stored)
        if not path.exists():
            return await self._fetches.join(name, lambda: self._fetch(name))
        return Original(stored, path, await self._header(stored, path))

    def learn(self, name: str, stored: StoredObject | None) -> None:
        """Take note of what the store holds now; None that it holds nothing."""
        before = self._known.pop(name, None)
        if before and before.stored and (stored is None or stored.etag != before.stored.etag):
            self._path(before.stored).unlink(missing_ok=True)
            for listener in self._listeners:
                listener(name)
        header = before.header if before and before.stored and stored and before.stored.etag == stored.etag else None
        self._known[name] = _Known(stored, time.monotonic(), header)
        if len(self._known) > MOST_KNOWN:
            self._known.popitem(last=False)

    async def expect(self, name: str, etag: str) -> None:
        """See that what is known is not older than a link that names this ETag: ask the store again if it differs,
        and nobody asked within REASK seconds. Raises NotFound, Unavailable.
        """
        stored = await self.stat(name)
        known = self._known.get(name)
        if stored.etag != etag and known and time.monotonic() - known.checked > REASK:
            await self.stat(name, fresh=True)

    def known(self, name: str) -> StoredObject | None:
        """What was last known of an original, without asking anyone."""
        known = self._known.get(name)
        return known.stored if known else None

    async def _fetch(self, name: str) -> Original:
        arriving = self._work / f"{os.getpid()}-original-{hashlib.sha256(name.encode()).hexdigest()}"
        known = self._known.get(name)
        stored = await self._container.fetch(name, arriving)
        if self._known.get(name) is not known:  # it was replaced while it was being fetched
            arriving.unlink(missing_ok=True)
            return await self._fetch(name)
        self.learn(name, stored)
        path = self._path(stored)
        path.parent.mkdir(parents=True, exist_ok=True)
        arriving.replace(path)
        return Original(stored, path, await self._header(stored, path))

    async def _header(self, stored: StoredObject, path: Path) -> Header:
        known = self._known.get(stored.name)
        if known is None or known.stored is None or known.stored.etag != stored.etag:
            return await asyncio.to_thread(recognise, path)
        if known.header is None:
            try:
                known.header = await asyncio.to_thread(recognise, path)
            except EngineError as error:
                known.header = error
        if isinstance(known.header, EngineError):
            raise known.header
        return known.header

    def _path(self, stored: StoredObject) -> Path:
        digest = hashlib.sha256(f"{stored.name}\n{stored.etag}".encode()).hexdigest()
        return self._root / digest[:2] / digest
