"""The incoming container in Swift: clients PUT to it by temporary URLs that Swift itself answers."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

from swiftclient.exceptions import ClientException

from service.store.base import Observation
from service.store.errand import Errand
from service.store.errors import IncomingFull, NotArrived, NoTemporaryUrls, NotFound, StoreError
from service.store.incoming import COPY, PutUrl, Taken, expiry_of, new_name
from service.store.swift.auth import Denied
from service.store.swift.connections import Pool, is_absent
from service.store.swift.deletion import Deletion
from service.store.swift.discarding import Discarding
from service.store.swift.rights import needing
from service.store.swift.settings import SwiftSettings
from service.store.swift.temp_url import Signer
from service.store.swift.transfer import download

QUOTA = "x-container-meta-quota-bytes"
ORIGINS = "x-container-meta-access-control-allow-origin"
EXPOSED = "x-container-meta-access-control-expose-headers"
NOTHING = "nothing has been sent to the URL of this upload"
_PAGE = 1000  # names in one listing of what has expired
_ORIGINS = "intake.origins"

_log = logging.getLogger(__name__)


class SwiftIncoming:
    """One container with a temporary-URL key and a quota of its own. Copies are in it too, under names that no URL was
    given for."""

    landing = None

    def __init__(self, pool: Pool, settings: SwiftSettings) -> None:
        self._pool = pool
        self._settings = settings
        self._container = settings.incoming_container
        urls = settings.temp_url
        own = replace(urls, keys=settings.incoming_keys) if urls.scope == "container" else urls
        self._signer = Signer(own, self._container)
        self._deletion = Deletion(pool, self._container, settings.connections, self._delete)
        self._discarding = Discarding(self._deletion.delete)

    async def prepare(self) -> None:
        """Make the container, its quota and its key, where they are missing. A user who may not is warned of: then no
        uploads are taken by temporary URLs."""
        try:
            await self._pool.call(self._make)
            await self._pool.call(self._signer.prepare)
        except (NoTemporaryUrls, Denied) as error:
            _log.warning("no uploads by temporary URLs, for container %s: %s", self._container, error)

    async def inspect(self, report: Callable[[Observation], None]) -> None:
        """Report what of the container is not as configured."""
        found = await self._pool.call(self._look)
        for where, text in self._differences(found):
            report(Observation(where, f"{text}; set it with: image-gateway check --fix"))

    async def mend(self, report: Callable[[Observation], None]) -> None:
        """Set the quota and the origins as configured. Raises Forbidden."""
        found = await self._pool.call(self._look)
        with needing("write", self._container):
            await self._pool.call(lambda connection: connection.post_container(self._container, dict(self._wanted)))
        for where, text in self._differences(found):
            report(Observation(where, f"{text}: set now", wrong=False))

    async def keys(self, *, anew: bool = False) -> Sequence[str]:
        if self._signer.known and not anew:
            return self._signer.known
        try:
            return await self._pool.call(self._signer.learn)
        except (NotFound, Denied) as error:
            raise NoTemporaryUrls(f"the container {self._container!r} cannot be used") from error

    async def put_url(self, name: str, expires: int) -> PutUrl:
        self._pool.breaker.look()
        url = self._signer.proved_put_url(name, expires) or await self._tried_put_url(name, expires)
        return PutUrl(url, expires, {"X-Delete-At": str(expires)})

    async def take(self, name: str, size: int, target: Path) -> Taken:
        """As in `IncomingContainer`. The copy is made first, then read once."""
        if name in self._discarding:
            raise NotArrived(NOTHING)
        copy = new_name(int(time.time()) + COPY, size)
        try:
            with needing("read", self._container):
                md5, sha256 = await self._pool.transfer(partial(self._take, name, size, copy), target)
        except StoreError:
            self._discarding.add([copy])  # which counts against the quota
            raise
        return Taken(f"{self._container}/{copy}", md5, sha256)

    async def discard(self, names: Sequence[str]) -> None:
        self._discarding.add([name.removeprefix(f"{self._container}/") for name in names])

    async def close(self) -> None:
        """End what is under way."""
        await self._discarding.close()

    async def sweep(self, now: float) -> int:
        """As in `IncomingContainer`. The listing begins with what has expired."""
        removed = 0
        while names := await self._pool.call(partial(self._expired, now)):
            removed += (gone := await self._deletion.delete(names))
            if not gone or len(names) < _PAGE:  # a listing lags behind
                break
        return removed

    @property
    def _wanted(self) -> Mapping[str, str]:
        origins = " ".join(self._settings.incoming_origins)
        return {QUOTA: str(self._settings.incoming_quota), ORIGINS: origins, EXPOSED: "etag" if origins else ""}

    def _differences(self, found: Mapping[str, str]) -> Iterator[tuple[str, str]]:
        for header, where, what in ((QUOTA, "intake.quota", "the quota"), (ORIGINS, _ORIGINS, "the origins")):
            present, wanted = found.get(header, ""), self._wanted[header]
            if present != wanted:
                text = f"{what} of the container {self._container!r} should be {wanted or 'none'}, not"
                yield where, f"{text} {present or 'none'}"

    def _look(self, connection: Any) -> Mapping[str, str]:
        headers: Mapping[str, str] = connection.head_container(self._container)
        return headers

    def _make(self, connection: Any) -> None:
        quota = {QUOTA: self._wanted[QUOTA]}
        try:
            present = self._look(connection)
        except ClientException as error:
            if not is_absent(error):
                raise
            connection.put_container(self._container, quota)
            return
        if present.get(QUOTA) != quota[QUOTA]:
            connection.post_container(self._container, quota)

    async def _tried_put_url(self, name: str, expires: int) -> str:
        try:
            return await self._pool.call(lambda connection: self._signer.put_url(connection, name, expires))
        except (NotFound, Denied) as error:
            _log.warning("no temporary URL to the container %s: %s", self._container, error)
            raise NoTemporaryUrls(f"the container {self._container!r} cannot be used") from error

    def _take(self, name: str, size: int, copy: str, connection: Any, errand: Errand) -> tuple[str, str]:
        """Copy what is there at this moment, and read the copy; its MD5, by Swift, and SHA-256. Each is one request;
        that what was sent has another size shows before it is read."""
        headers = {"X-Copy-From": quote(f"/{self._container}/{name}"), "X-Fresh-Metadata": "true"}
        headers |= {"Content-Type": "application/octet-stream", "X-Delete-After": str(COPY)}
        digest = hashlib.sha256()
        try:
            connection.put_object(self._container, copy, None, headers=headers)
            taken = download(
                connection, self._container, copy, errand, self._settings.timeout, size=size, sha256=digest
            )
        except ClientException as error:
            if is_absent(error):
                raise NotArrived(NOTHING) from error
            if error.http_status == 413:
                text = f"uploads that wait to be finished may take {self._settings.incoming_quota} bytes (intake.quota)"
                raise IncomingFull(text) from error
            raise
        return taken.etag, digest.hexdigest()  # the former of an object without segments

    def _expired(self, now: float, connection: Any) -> list[str]:
        end = f"{int(now):010}-"
        _, rows = connection.get_container(self._container, end_marker=end, limit=_PAGE)
        return [row["name"] for row in rows if expiry_of(row["name"]) < now]

    async def _delete(self, name: str) -> None:
        """Raises NotFound."""
        await self._pool.call(lambda connection: connection.delete_object(self._container, name))
