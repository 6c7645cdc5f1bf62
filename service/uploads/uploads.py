"""Uploads: received into a temporary file within the limit, recognised, decoded once, and only then stored."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
from collections.abc import AsyncIterator, Coroutine, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, TypeVar
from weakref import WeakValueDictionary

from gateway.rules import ORIGINAL_TYPES
from service.cache.work import Work
from service.derivatives.derivatives import Derivatives, Making
from service.engine.job import Header, Job, Saturated, TooLarge
from service.engine.pool.pool import EnginePool
from service.originals.acceptance import take
from service.originals.originals import Originals
from service.store.base import (
    Container,
    Corrupt,
    Exists,
    NotFound,
    PreconditionFailed,
    StoredObject,
    StoreError,
    Unavailable,
)

MOST_AT_ONCE = 256  # uploads under way, each with a file descriptor and up to the limit of bytes on disk
UNCERTAIN = (Unavailable, Corrupt, OSError)  # failures of the store that do not tell whether it took a change
CHECKSUM = "sha256"  # the metadata of an original that holds its SHA-256 in hex
T = TypeVar("T")

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Incoming:
    """An upload under way: feed it with `write`, then `Uploads.store` it."""

    path: Path
    limit: int
    file: BinaryIO
    size: int = 0
    _hashes: dict[str, hashlib._Hash] = field(default_factory=dict)

    def write(self, chunk: bytes) -> None:
        """Take the next bytes. Raises TooLarge beyond the limit, OSError where the disk fails."""
        self.size += len(chunk)
        if self.size > self.limit:
            raise TooLarge(f"the upload is larger than {self.limit} bytes")
        for one in self._hashes.values():
            one.update(chunk)
        self.file.write(chunk)

    def also_hash(self, algorithms: Iterable[str]) -> None:
        """Compute these digests too, beside MD5 and SHA-256. Called before the first byte."""
        for algorithm in algorithms:
            self._hashes.setdefault(algorithm, hashlib.new(algorithm, usedforsecurity=False))

    def digest(self, algorithm: str) -> bytes:
        return self._hashes[algorithm].digest()

    @property
    def md5(self) -> str:
        return self.digest("md5").hex()

    @property
    def sha256(self) -> str:
        return self.digest("sha256").hex()


@dataclass(frozen=True, slots=True)
class Wish:
    """What must be true of a name before it is changed; ETags unquoted, `*` for any.

    Without `replace` the name must be free. `if_match` names what may be there, `if_none_match` what may not.
    """

    replace: bool = False
    if_match: frozenset[str] | None = None
    if_none_match: frozenset[str] = frozenset()

    def check(self, there: StoredObject | None) -> None:
        """Raise Exists or PreconditionFailed where it is not true of what is `there`."""
        held = {"*", there.etag} if there else set()
        if self.if_match is not None and not held & self.if_match:
            raise PreconditionFailed("the image is not the one that If-Match names")
        if held & self.if_none_match:
            raise PreconditionFailed("the image is one that If-None-Match excludes")
        if there and not self.replace:
            raise Exists(there.name)


@dataclass(frozen=True, slots=True)
class Stored:
    """An upload that the store has taken."""

    object: StoredObject
    header: Header
    md5: str
    sha256: str
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
        work: Work,
        limit: int,
    ) -> None:
        self._container = container
        self._originals = originals
        self._derivatives = derivatives
        self._engine = engine
        self._making = making
        self._work = work
        self._limit = limit
        self._under_way = 0
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @contextlib.contextmanager
    def receive(self) -> Iterator[Incoming]:
        """A place for an upload; whatever becomes of it, its temporary file is gone at the end.

        Raises Saturated where too many are under way.
        """
        if self._under_way >= MOST_AT_ONCE:
            raise Saturated(f"{MOST_AT_ONCE} uploads are under way; try again", retry_after=5.0)
        path = self._work.path()
        self._under_way += 1
        try:
            with path.open("wb") as file:
                upload = Incoming(path, self._limit, file)
                upload.also_hash(("md5", "sha256"))
                yield upload
        finally:
            self._under_way -= 1
            path.unlink(missing_ok=True)

    async def foresee(self, name: str, wish: Wish) -> None:
        """Raise what `store` would raise for the name's sake, before a body is sent for nothing. No promise."""
        wish.check(await self._there(name))

    async def store(self, name: str, upload: Incoming, wish: Wish) -> Stored:
        """Check the upload by content and by decoding it, and put it into the store; then everything derived of a
        former image of this name is gone.

        Raises NotAnImage, TooLarge, Undecodable, TimedOut, Crashed, Saturated; Exists, PreconditionFailed,
        Unholdable, StoreFull, Corrupt, Unavailable. After any of them nothing is stored. Whoever is cancelled while
        this runs is held until it is settled, since the store's answer decides what is true.
        """
        return await _settled(self._store(name, upload, wish))

    async def _store(self, name: str, upload: Incoming, wish: Wish) -> Stored:
        upload.file.flush()
        making = self._making
        header = await asyncio.to_thread(take, upload.path, making.accept, making.limits)
        job = Job(
            "verify",
            str(upload.path),
            header,
            making.limits,
            tolerant=making.tolerant,
            library=making.library,
        )
        await self._engine.run(job, affinity=upload.sha256, lane="upload", content=upload.sha256)
        async with self._lock(name):
            return await self._put(name, upload, header, wish)

    async def _put(self, name: str, upload: Incoming, header: Header, wish: Wish) -> Stored:
        there = await self._there(name)
        wish.check(there)
        async with self._found_out(name):
            stored = await self._container.put(
                name,
                upload.path,
                content_type=ORIGINAL_TYPES[header.format],
                md5=upload.md5,
                metadata={CHECKSUM: upload.sha256},
                replace=wish.replace,
                if_match=there.etag if there and wish.if_match else None,
            )
        await self._settle(name, stored)
        return Stored(stored, header, upload.md5, upload.sha256, there is None)

    async def delete(self, name: str, wish: Wish) -> None:
        """Remove an image and all that was derived of it. Raises NotFound, PreconditionFailed, Unavailable."""
        await _settled(self._delete(name, wish))

    async def _delete(self, name: str, wish: Wish) -> None:
        async with self._lock(name):
            there = await self._there(name)
            if there is None:
                raise NotFound(name)
            wish.check(there)
            async with self._found_out(name):
                await self._container.delete(name, if_match=there.etag if wish.if_match else None)
            await self._settle(name, None)

    async def _there(self, name: str) -> StoredObject | None:
        try:
            return await self._originals.stat(name, fresh=True)
        except NotFound:
            return None

    @contextlib.asynccontextmanager
    async def _found_out(self, name: str) -> AsyncIterator[None]:
        """A change in the store. Where it fails so that it may have been made nevertheless, the store is asked what it
        holds, so that this node serves nothing older than that; no answer is no failure of its own."""
        try:
            yield
        except UNCERTAIN:
            with contextlib.suppress(StoreError, OSError):
                await self._originals.stat(name, fresh=True)
            raise

    async def _settle(self, name: str, stored: StoredObject | None) -> None:
        """Let everybody on this node know. The store has made the change, so what cannot be removed is no failure of
        it: the service takes nothing from the tree or the derived container that is not of what is there now."""
        try:
            self._originals.learn(name, stored)
            await self._derivatives.forget_everywhere(name)
        except StoreError as error:
            log.warning("derived images of %s are left in the derived container: %s", name, error)
        except OSError as error:
            log.error("derived images of what was %s cannot be removed, and nginx may serve them: %s", name, error)

    def _lock(self, name: str) -> asyncio.Lock:
        """One change of a name at a time, on this node."""
        return self._locks.setdefault(name, asyncio.Lock())


async def _settled(change: Coroutine[Any, Any, T]) -> T:
    """The result of a change; whoever is cancelled meanwhile, however often, is held until it is settled."""
    work = asyncio.ensure_future(change)
    cancelled: asyncio.CancelledError | None = None
    while not work.done():
        try:
            await asyncio.wait({work})
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled:
        raise cancelled
    return work.result()
