"""Uploads that clients send straight to the store: a temporary PUT URL to begin with, and verification at the end.

The URL still works while an upload is finished. So a copy is made first, under a name that no URL was given for, and it
is the copy that is verified and stored. Nothing is under the image's name before.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

from prometheus_client import Counter

from service.engine.job import EngineError, TooLarge
from service.originals.originals import Originals
from service.store.base import Precondition
from service.store.errors import Corrupt, Exists, NotArrived, PreconditionFailed, StoreError
from service.store.incoming import IncomingContainer, PutUrl, Taken, new_name
from service.uploads.errors import NoDirectUploads, OtherBytes, UnknownUpload, UploadExpired
from service.uploads.incoming import Incoming
from service.uploads.marks import stored_before
from service.uploads.upload_ids import Announced, read, write
from service.uploads.uploads import Stored, Uploads

AGAIN = 2.0  # seconds for which ids with unknown signatures do not have the keys read anew once more

DIRECT = Counter(
    "image_gateway_direct_uploads",
    "Uploads straight to the store. begun: got a URL; finished, failed: by their last step; repeated: finished before; "
    "swept: never finished.",
    ["outcome"],
    registry=None,
)
for _outcome in ("begun", "finished", "failed", "repeated", "swept"):
    DIRECT.labels(_outcome)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Begun:
    """An upload that has begun: its id, and where its bytes go."""

    id: str
    url: PutUrl


@dataclass(eq=False, repr=False)
class DirectUploads:
    """Begins and finishes uploads; without an incoming container every method raises NoDirectUploads."""

    _incoming: IncomingContainer | None
    _uploads: Uploads
    _originals: Originals
    _lifetime: float  # seconds
    _limit: int  # bytes
    _asked_at: float = float("-inf")  # when the keys were read anew, by the monotonic clock
    _reading_anew: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def incoming(self) -> IncomingContainer:
        if self._incoming is None:
            raise NoDirectUploads("this gateway takes none: store.swift.incoming_container names no container")
        return self._incoming

    async def begin(self, name: str, size: int, sha256: str, *, replace: bool) -> Begun:
        """Give a URL for an image of so many bytes with this SHA-256, in hex. Nothing is remembered here.

        Raises TooLarge, NoTemporaryUrls, Unavailable; what `Early.foresee` raises.
        """
        incoming = self.incoming
        if size > self._limit:
            raise TooLarge(f"the upload has {size} bytes: at most {self._limit} are allowed")
        await self._uploads.early.foresee(name, Precondition(replace=replace), size)
        expires = int(time.time() + self._lifetime)
        announced = Announced(name, sha256, new_name(expires, size), replace)
        url = await incoming.put_url(announced.object, expires)
        begun = Begun(write(announced, (await incoming.keys())[0]), url)
        DIRECT.labels("begun").inc()
        return begun

    async def announced(self, upload_id: str) -> Announced:
        """What an id stands for. One that was signed with a key that another node has set meanwhile has the keys read
        anew, at most once in AGAIN seconds. Raises UnknownUpload, NoTemporaryUrls, Unavailable."""
        try:
            return read(upload_id, await self.incoming.keys())
        except UnknownUpload:
            async with self._reading_anew:
                is_recent = time.monotonic() - self._asked_at < AGAIN
                keys = await self.incoming.keys(anew=not is_recent)
                if not is_recent:
                    self._asked_at = time.monotonic()
            return read(upload_id, keys)

    async def finish(self, announced: Announced, upload: Incoming, precondition: Precondition) -> Stored:
        """Verify what was sent, and store it under its name; `upload` is a place from `Uploads.receive`. An upload that
        was finished before gives the result of that time again, as long as the name holds it.

        Raises NotArrived, NotAsAnnounced, OtherBytes, UploadExpired, and what `Uploads.store` raises. After any of them
        nothing is stored, and the client may send again until its URL ends.
        """
        try:
            if announced.expires < time.time():
                raise UploadExpired("the URL of this upload has expired: begin anew with POST /uploads")
            async with self._taken(announced, upload) as taken:
                await upload.measure(md5=taken.md5, sha256=taken.sha256)
                if upload.sha256 != announced.sha256:
                    await asyncio.to_thread(_check_reading, upload)
                    text = f"the bytes that were sent have the SHA-256 {upload.sha256}, not the one that was announced"
                    raise OtherBytes(text)
                copy, mark = taken.copy_of, announced.object
                stored = await self._uploads.store(announced.name, upload, precondition, copy, mark)
        except Exception as error:
            before = await self._before(announced, error)
            if before is None:
                DIRECT.labels("failed").inc()
                raise
            stored = before
        DIRECT.labels("repeated" if stored.repeated else "finished").inc()
        return stored

    async def _before(self, announced: Announced, error: Exception) -> Stored | None:
        """What this upload has stored already, where it failed in a way that this may explain."""
        if not isinstance(error, NotArrived | Exists | PreconditionFailed | UploadExpired):
            return None
        try:
            before = await stored_before(self._originals, announced.name, announced.object)
        except (StoreError, EngineError, OSError) as failure:
            log.info("whether the upload of %s was finished before cannot be told: %s", announced.name, failure)
            return None
        if before is None:
            return None
        stored, header = before.original.stored, before.original.header
        return Stored(stored, header, before.md5, before.sha256, before.outcome == "created", repeated=True)

    @contextlib.asynccontextmanager
    async def _taken(self, announced: Announced, upload: Incoming) -> AsyncIterator[Taken]:
        """A copy of what was sent, in the upload's file and in the store. The latter is gone at the end, and so is what
        was sent, once it is stored."""
        taken = await self.incoming.take(announced.object, announced.bytes, upload.path)
        done = [taken.copy_of] if taken.copy_of else []
        try:
            yield taken
            done.append(announced.object)
        finally:
            await self._discard(done)

    async def _discard(self, names: Sequence[str]) -> None:
        """What cannot be removed now is swept later."""
        try:
            await self.incoming.discard(names)
        except (StoreError, OSError) as error:
            log.info("a finished upload is still in the incoming container, until it is swept: %s", error)


def _check_reading(upload: Incoming) -> None:
    """Raise Corrupt where the file does not have the MD5 that the store has computed: then it was read wrongly, and the
    client sent what it should."""
    with upload.path.open("rb") as file:
        md5 = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    if md5 != upload.md5:
        raise Corrupt("the upload does not have its MD5 as it was read from the store; try again")
