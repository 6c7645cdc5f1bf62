"""Uploads: received into a temporary file within the limit, recognised, decoded once, and only then stored."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import itertools
import logging
import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO
from weakref import WeakValueDictionary

from gateway.rules import CONTENT_TYPES
from service.derivatives import Derivatives, Making
from service.engine.job import Header, Job, TooLarge
from service.engine.pool import EnginePool
from service.engine.recognise import recognise
from service.intake import admit
from service.originals import Originals
from service.store.base import Container, NotFound, StoredObject, StoreError

SOURCE_TYPES = {**CONTENT_TYPES, "heic": "image/heic", "ico": "image/vnd.microsoft.icon"}
_serial = itertools.count()

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Incoming:
    """An upload under way: feed it with `write`, then `Uploads.store` it."""

    path: Path
    limit: int
    file: BinaryIO
    size: int = 0
    _md5: hashlib._Hash = field(default_factory=lambda: hashlib.md5(usedforsecurity=False))
    _sha256: hashlib._Hash = field(default_factory=hashlib.sha256)

    def write(self, chunk: bytes) -> None:
        """Take the next bytes. Raises TooLarge beyond the limit, OSError where the disk fails."""
        self.size += len(chunk)
        if self.size > self.limit:
            raise TooLarge(f"the upload is larger than {self.limit} bytes")
        self._md5.update(chunk)
        self._sha256.update(chunk)
        self.file.write(chunk)

    @property
    def md5(self) -> str:
        return self._md5.hexdigest()

    @property
    def sha256(self) -> str:
        return self._sha256.hexdigest()


@dataclass(frozen=True, slots=True)
class Stored:
    """An upload that the store has taken."""

    object: StoredObject
    header: Header
    md5: str
    created: bool


class Uploads:
    """Takes images in and out of the store, and lets nothing derived of a former one survive."""

    def __init__(
        self,
        container: Container,
        originals: Originals,
        derivatives: Derivatives,
        engine: EnginePool,
        making: Making,
        work: Path,
        limit: int,
    ) -> None:
        self._container = container
        self._originals = originals
        self._derivatives = derivatives
        self._engine = engine
        self._making = making
        self._work = work
        self._limit = limit
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @contextlib.contextmanager
    def receive(self) -> Iterator[Incoming]:
        """A place for an upload; whatever becomes of it, its temporary file is gone at the end."""
        path = self._work / f"{os.getpid()}-upload-{next(_serial)}"
        try:
            with path.open("wb") as file:
                yield Incoming(path, self._limit, file)
        finally:
            path.unlink(missing_ok=True)

    async def store(self, name: str, upload: Incoming, *, replace: bool, if_match: str | None = None) -> Stored:
        """Check the upload by content and by decoding it, and put it into the store; then everything derived of a
        former image of this name is gone.

        Raises NotAnImage, TooLarge, Undecodable, TimedOut, Crashed, Saturated; Exists, PreconditionFailed,
        Unholdable, StoreFull, Corrupt, Unavailable. After any of them nothing is stored. Whoever is cancelled while
        this runs is held until it is settled, since the store's answer decides what is true.
        """
        work = asyncio.ensure_future(self._store(name, upload, replace=replace, if_match=if_match))
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            await asyncio.wait({work})
            raise

    async def _store(self, name: str, upload: Incoming, *, replace: bool, if_match: str | None) -> Stored:
        upload.file.flush()
        header = await asyncio.to_thread(recognise, upload.path)
        admit(header, self._making.accept, self._making.limits)
        job = Job(task="verify", source=str(upload.path), header=header, limits=self._making.limits)
        await self._engine.run(job, affinity=upload.sha256, content=upload.sha256)
        async with self._lock(name):
            return await self._put(name, upload, header, replace=replace, if_match=if_match)

    async def _put(self, name: str, upload: Incoming, header: Header, *, replace: bool, if_match: str | None) -> Stored:
        try:
            await self._originals.stat(name, fresh=True)
            existed = True
        except NotFound:
            existed = False
        stored = await self._container.put(
            name,
            upload.path,
            content_type=SOURCE_TYPES[header.format],
            md5=upload.md5,
            replace=replace,
            if_match=if_match,
        )
        await self._settle(name, stored)
        return Stored(stored, header, upload.md5, not existed)

    async def delete(self, name: str, *, if_match: str | None = None) -> None:
        """Remove an image and all that was derived of it. Raises NotFound, PreconditionFailed, Unavailable."""
        async with self._lock(name):
            await self._container.delete(name, if_match=if_match)
            await self._settle(name, None)

    async def _settle(self, name: str, stored: StoredObject | None) -> None:
        """Let everybody on this node know. What cannot be removed from the derived container is never served: it
        does not name the original that is there now."""
        self._originals.learn(name, stored)
        try:
            await self._derivatives.forget_everywhere(name)
        except StoreError as error:
            log.warning("derived images of %s are left in the derived container: %s", name, error)

    def _lock(self, name: str) -> asyncio.Lock:
        """One change of a name at a time, on this node."""
        return self._locks.setdefault(name, asyncio.Lock())


async def pour(chunks: AsyncIterator[bytes], upload: Incoming) -> None:
    """Write a stream into an upload. Raises what `Incoming.write` and the stream raise."""
    async for chunk in chunks:
        upload.write(chunk)
