"""Uploads that clients send straight to the store: a temporary PUT URL to begin with, and verification at the end.

The URL still works while an upload is finished. So a copy is made first, under a name that no URL was given for, and it
is the copy that is verified and stored. Nothing is under the image's name before.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from prometheus_client import Counter

from service.engine.job import TooLarge
from service.store.base import Precondition
from service.store.errors import StoreError
from service.store.incoming import IncomingContainer, PutUrl, Taken, new_name
from service.uploads.errors import NoDirectUploads, OtherBytes, UploadExpired
from service.uploads.incoming import Incoming
from service.uploads.upload_ids import Announced, read, write
from service.uploads.uploads import Stored, Uploads

DIRECT = Counter(
    "image_gateway_direct_uploads",
    "Uploads straight to the store. begun: got a URL; finished, failed: by their last step; swept: never finished.",
    ["outcome"],
    registry=None,
)
for _outcome in ("begun", "finished", "failed", "swept"):
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
    _lifetime: float  # seconds
    _limit: int  # bytes

    @property
    def incoming(self) -> IncomingContainer:
        if self._incoming is None:
            raise NoDirectUploads("this gateway takes none: store.swift.incoming_container names no container")
        return self._incoming

    async def begin(self, name: str, size: int, sha256: str, *, replace: bool) -> Begun:
        """Give a URL for an image of so many bytes with this SHA-256, in hex. Nothing is remembered here.

        Raises TooLarge, Exists where the name is taken already, NoTemporaryUrls, Unavailable.
        """
        incoming = self.incoming
        if size > self._limit:
            raise TooLarge(f"the upload has {size} bytes: at most {self._limit} are allowed")
        await self._uploads.foresee(name, Precondition(replace=replace))
        expires = int(time.time() + self._lifetime)
        announced = Announced(name, sha256, new_name(expires, size), replace)
        url = await incoming.put_url(announced.object, expires)
        begun = Begun(write(announced, (await incoming.keys())[0]), url)
        DIRECT.labels("begun").inc()
        return begun

    async def announced(self, upload_id: str) -> Announced:
        """What an id stands for. Raises UnknownUpload, UploadExpired, NoTemporaryUrls, Unavailable."""
        announced = read(upload_id, await self.incoming.keys())
        if announced.expires < time.time():
            raise UploadExpired("the URL of this upload has expired: begin anew with POST /uploads")
        return announced

    async def finish(self, announced: Announced, upload: Incoming, precondition: Precondition) -> Stored:
        """Verify what was sent, and store it under its name; `upload` is a place from `Uploads.receive`.

        Raises NotArrived, NotAsAnnounced, OtherBytes, and what `Uploads.store` raises. After any of them nothing is
        stored, and the client may send again until its URL ends.
        """
        try:
            async with self._taken(announced, upload) as taken:
                await asyncio.to_thread(upload.measure, taken.md5)
                if upload.sha256 != announced.sha256:
                    text = f"the bytes that were sent have the SHA-256 {upload.sha256}, not the one that was announced"
                    raise OtherBytes(text)
                stored = await self._uploads.store(announced.name, upload, precondition, taken.copy_of)
        except Exception:
            DIRECT.labels("failed").inc()
            raise
        DIRECT.labels("finished").inc()
        return stored

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
