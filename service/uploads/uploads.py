"""Store uploads: receive them within the limit, recognise them, decode them once, and only then store them."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from weakref import WeakValueDictionary

from gateway.names import Name
from gateway.rules import ORIGINAL_TYPES
from service.cache.work import FULL, Work
from service.derivatives.derivatives import Derivatives, JobSettings
from service.derivatives.eager import Eager
from service.engine.job import DiskFull, Header, Job, Saturated
from service.engine.pool.pool import EnginePool
from service.journal.journal import Journal
from service.originals.acceptance import take
from service.originals.originals import Original, Originals
from service.outbox.outbox import Change, Outbox
from service.store.base import Container, NewObject, Precondition, StoredObject
from service.store.errors import Corrupt, Forbidden, NotFound, StoreError, Unavailable
from service.uploads.early import Early
from service.uploads.hook import Hook, Question
from service.uploads.incoming import Incoming
from service.uploads.marks import marked, outcome_of
from service.uploads.quota import Quota
from service.uploads.receipt import TakenDown
from service.uploads.settled import settled

MOST_AT_ONCE = 256  # uploads under way, each with a file descriptor and up to the limit of bytes on disk
UNCERTAIN = (Unavailable, Corrupt, OSError)  # failures of the store that do not tell whether it took a change
CHECKSUM = "sha256"  # the metadata of an original that holds its SHA-256 in hex

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Stored:
    """An upload that the store has taken."""

    object: StoredObject
    header: Header
    md5: str
    sha256: str
    created: bool
    repeated: bool = False  # whether it was stored before, by the same direct upload


@dataclass(eq=False, repr=False)
class Uploads:
    """Takes images in and out of the store, and lets nothing derived of a former one survive."""

    _container: Container
    _originals: Originals
    _derivatives: Derivatives
    _engine: EnginePool
    _job_settings: JobSettings
    _work: Work
    _limit: int  # bytes
    _journal: Journal
    _outbox: Outbox
    quota: Quota
    early: Early
    eager: Eager
    _hook: Hook | None = None

    def __post_init__(self) -> None:
        self._under_way = 0
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @contextlib.contextmanager
    def receive(self) -> Iterator[Incoming]:
        """A place for an upload, whose temporary file is removed at the end in any case.

        Raises Saturated where too many are under way. That the disk has no room for it is counted.
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
        except (OSError, DiskFull) as error:
            if isinstance(error, DiskFull):
                self._work.trouble(OSError(errno.ENOSPC, str(error)))
            elif error.errno in FULL:
                self._work.trouble(error)
            raise
        finally:
            self._under_way -= 1
            path.unlink(missing_ok=True)

    async def store(
        self, name: str, upload: Incoming, precondition: Precondition, copy_of: str = "", mark: str = ""
    ) -> Stored:
        """Check the upload by content and by decoding it, and put it into the store; then everything derived of a
        former image of this name is gone.

        Where the store has a copy of these bytes in its incoming container, `copy_of` names that, and they are not
        sent again. A direct upload has a `mark`, and what it has stored already is not stored again.

        Raises NotAnImage, TooLarge, Undecodable, TimedOut, Crashed, Saturated; RefusedByHook, HookFailed; Exists,
        PreconditionFailed, Unholdable, StoreFull, QuotaReached, Corrupt, Unavailable. After any of them nothing is
        stored. A caller that is cancelled while this runs waits until it is settled, since the store's answer decides
        what is true.
        """
        return await settled(self._store(name, upload, precondition, copy_of, mark))

    async def _store(self, name: str, upload: Incoming, precondition: Precondition, copy_of: str, mark: str) -> Stored:
        upload.file.flush()
        header = await asyncio.to_thread(take, upload.path, self._job_settings.accept, self._job_settings.limits)
        with self._work.file() as document:
            with self._journal.coming():
                flaws = await self._verify(upload, header, document)
            if flaws:
                log.info("%s has flaws, and all of its pixels: %s", name, "; ".join(flaws))
            if self._hook:
                await self._hook.ask(Question(name, upload, header, document))
            content_type, metadata = ORIGINAL_TYPES[header.format], {CHECKSUM: upload.sha256}
            new = NewObject(name, upload.path, content_type, upload.md5, metadata, precondition)
            async with self._lock(name):
                with self.early.learning():
                    new = replace(new, sha256=upload.sha256, copy_of=copy_of)
                    return await self._put(new, upload, header, document, mark)

    async def _verify(self, upload: Incoming, header: Header, document: Path) -> tuple[str, ...]:
        """Decode the upload, and write its metadata to `document` where that can be. Return the flaws of the file."""
        job_settings = self._job_settings
        job = Job(
            "verify",
            str(upload.path),
            header,
            job_settings.limits,
            output=str(document),
            fields=job_settings.fields,
            tolerant=job_settings.tolerant,
            library=job_settings.library,
        )
        made = await self._engine.run(job, affinity=upload.sha256, lane="upload", content=upload.sha256)
        return made.flaws

    async def _put(self, new: NewObject, upload: Incoming, header: Header, document: Path, mark: str) -> Stored:
        asked = new.precondition
        # A taken name is refused by the store itself, but after the quota.
        is_refused = not (asked.replace or asked.names_etags or mark or self.quota.is_on)
        there = None if is_refused else await self._there(new.name)
        before = outcome_of(mark, there)
        if there and before:
            return Stored(there, header, new.md5, new.sha256, before == "created", repeated=True)
        asked.check(there)
        new = replace(new, checked=not asked.names_etags)
        if mark:
            new = replace(new, metadata={**new.metadata, **marked(mark, "replaced" if there else "created")})
        facts = {"bytes": upload.size, "content_type": new.content_type, "md5": new.md5, "sha256": new.sha256}
        told = Change("replaced" if there else "created", (new.name,), facts=facts)
        async with self.quota.taking(there, upload.size), self._outbox.telling(told):
            async with self._journal.change("put", new.name) as change, self._found_out(new.name):
                change.stored = stored = await self._container.put(new)
                self._learn(new.name, stored)
            original = self._originals.adopt(stored, upload.path, header)
            await self._forget(new.name, is_new=there is None)
            if there:
                self._look_again(new.name)
        if original:
            self._adopt_document(original, document)
        self.eager.add(new.name)
        return Stored(stored, header, new.md5, new.sha256, there is None)

    def _adopt_document(self, original: Original, document: Path) -> None:
        """Publish the metadata that the check found in the upload, unless the name holds something else by now. Where
        that fails, the first request makes it again."""
        if not self._originals.is_current(original.stored) or not document.exists():
            return
        try:
            self._derivatives.maker.adopt(Name(original.stored.name, {}, "json"), original, document)
        except OSError as error:
            log.warning("the metadata of %s, made with its upload, is not stored: %s", original.stored.name, error)

    async def delete(self, name: str, precondition: Precondition) -> None:
        """Remove an image and all that was derived of it, which is also removed where the image itself is gone.

        Raises NotFound, PreconditionFailed, Unavailable.
        """
        await settled(self._delete(name, precondition))

    async def _delete(self, name: str, precondition: Precondition) -> None:
        async with self._lock(name):
            there = await self._there(name)
            if there is None:
                async with self._journal.change("delete", name):
                    await self._derivatives.forget_everywhere(name)
                raise NotFound(name)
            precondition.check(there)
            async with self._outbox.telling(Change("deleted", (name,))):
                async with self._journal.change("delete", name), self._found_out(name):
                    await self._container.delete(name, precondition)
                    self.quota.removed(there)
                    self._learn(name, None)
                await self._forget(name)
                self._look_again(name)

    async def take_down(self, name: str, precondition: Precondition) -> TakenDown:
        """As `delete`; what was removed where. That the image is gone already is no failure.

        Raises PreconditionFailed; Unavailable and OSError, after which it may be repeated.
        """
        return await settled(self._take_down(name, precondition))

    async def _take_down(self, name: str, precondition: Precondition) -> TakenDown:
        """Everything goes before the entry in the journal: after it other nodes remove, too, what is to be counted."""
        async with self._lock(name), contextlib.AsyncExitStack() as stack:
            there = await self._there(name)
            precondition.check(there)
            copies, before = self._originals.remove_copies(name), self._derivatives.forget(name)
            if there:
                await stack.enter_async_context(self._outbox.telling(Change("deleted", (name,))))
            async with self._journal.change("delete", name, alone=True) as change, self._found_out(name):
                if there and await self._is_deleted(name, precondition):
                    self.quota.removed(there)
                self._learn(name, None)
                try:
                    files, objects = await self._derivatives.purge(name, before)
                except Forbidden as error:  # of the derived container: the original is gone nevertheless
                    raise Unavailable(str(error)) from error
            self._look_again(name)
            copies += self._originals.remove_copies(name)
            return TakenDown(there is not None, files + copies, objects, change.entry)

    async def _is_deleted(self, name: str, precondition: Precondition) -> bool:
        """Delete an original; whether this did it, and not another node a moment ago."""
        try:
            await self._container.delete(name, precondition)
        except NotFound:
            return False
        return True

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
            self._note_change(name)
            with contextlib.suppress(StoreError, OSError):
                await self._originals.stat(name, fresh=True)
            raise

    def _learn(self, name: str, stored: StoredObject | None) -> None:
        """Take note on this node of a change that the store has made."""
        self._note_change(name)
        with contextlib.suppress(OSError):  # of what cannot be removed: `_forget` meets it too, and reports it
            self._originals.learn(name, stored)

    def _note_change(self, name: str) -> None:
        """Have the store asked for the newest version while its replicas may differ."""
        if self._journal.writer is not None:
            self._originals.changed(name, self._journal.options.journal_lag)

    async def _forget(self, name: str, *, is_new: bool = False) -> None:
        """Remove what was derived of a former image. The store has made the change, so what cannot be removed is no
        failure of it: the service takes nothing from the tree or the derived container that is not of what is there
        now. The derived container has nothing of a name that `is_new`, as its deletion has removed that."""
        try:
            await (self._derivatives.forget_here(name) if is_new else self._derivatives.forget_everywhere(name))
        except StoreError as error:
            log.warning("derived images of %s are left in the derived container: %s", name, error)
        except OSError as error:
            log.error("derived images of what was %s cannot be removed, and nginx may serve them: %s", name, error)

    def _look_again(self, name: str) -> None:
        """Look through the derived container once more when listings have caught up: one that lagged has left out what
        another node had just put there."""
        if self._journal.writer is not None:
            lag, takedowns = self._journal.options.journal_lag, self._derivatives.takedowns
            asyncio.get_running_loop().call_later(lag, takedowns.add, name)

    def _lock(self, name: str) -> asyncio.Lock:
        """One change of a name at a time, on this node."""
        return self._locks.setdefault(name, asyncio.Lock())
