"""One container of Swift."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from swiftclient.exceptions import ClientException

from service.store.base import UNCONDITIONAL, NewObject, Page, Precondition, StoredObject, TemporaryUrl, Usage
from service.store.errand import Errand
from service.store.errors import Corrupt, Exists, NoTemporaryUrls, NotFound, Unavailable, Unholdable
from service.store.swift.auth import Denied
from service.store.swift.connections import Pool, is_absent
from service.store.swift.copying import copy_failure, copy_headers
from service.store.swift.deletion import Deletion
from service.store.swift.listing import list_container
from service.store.swift.objects import (
    expiry_headers,
    from_headers,
    holdable,
    is_folder,
    metadata_headers,
    newest_headers,
    parsing,
    reachable,
    rounds_down,
)
from service.store.swift.presence import Presence
from service.store.swift.rights import needing
from service.store.swift.settings import SwiftSettings
from service.store.swift.temp_url import Signer
from service.store.swift.transfer import Upload, download, open_source
from service.store.swift.versions import check_versions, delete_versions

_log = logging.getLogger(__name__)


class SwiftContainer:
    """One container. The `derived` one is made when it is missing, and its objects may expire; the originals' is made
    where the settings say `create`.

    Deleting or replacing a segmented object leaves its segments: they may belong to others too.
    """

    def __init__(self, pool: Pool, settings: SwiftSettings, container: str, *, derived: bool = False) -> None:
        self._pool = pool
        self._container = container
        self._patience = settings.timeout
        self._derived = derived
        self._create = derived or settings.create
        self._delete_after = settings.delete_after if derived else None
        self._rounds_down = False
        self._refuses_taken = False  # whether it heeds `If-None-Match: *`; until that is known, it is asked first
        self._signer = Signer(settings.temp_url, container)
        self._presence = Presence(container, needed=not derived)
        self._deletion = Deletion(pool, container, settings.connections, self.delete)

    async def prepare(self, *, urls: bool = True) -> None:
        """Make sure of the container and, for temporary `urls`, of its key. Raises NotFound when originals have no
        container, and StoreError when its former versions come back."""
        with needing("write" if self._derived else "read", self._container):
            found = await self._pool.call(self._make if self._create else self._look)
        self._rounds_down = rounds_down(found)
        self._refuses_taken = not self._rounds_down
        check_versions(self._container, found)
        if not urls:
            return
        try:
            await self._pool.call(self._signer.prepare)
        except (NoTemporaryUrls, Denied) as error:
            _log.warning("no temporary URLs to container %s: %s", self._container, error)

    async def stat(self, name: str, *, newest: bool = False) -> StoredObject:
        reachable(name)
        head = partial(self._head, newest=newest)
        with needing("read", self._container):
            return self._image(await self._pool.call(lambda connection: self._presence.of(connection, head, name)))

    async def fetch(self, name: str, target: Path, *, newest: bool = False) -> StoredObject:
        """As in `Container`. An OSError of the target itself (its disk is full) passes as it is."""
        reachable(name)
        with needing("read", self._container):
            return self._image(
                await self._pool.transfer(
                    lambda connection, errand: download(
                        connection, self._container, name, errand, self._patience, headers=newest_headers(newest)
                    ),
                    target,
                )
            )

    async def put(self, new: NewObject) -> StoredObject:
        headers = {"Content-Type": new.content_type, **metadata_headers(new.metadata)}
        if new.copy_of:
            headers |= copy_headers(new.copy_of, new.md5.lower())
        elif not new.precondition.replace:
            headers["If-None-Match"] = "*"
        headers |= expiry_headers(new.delete_after or self._delete_after, new.ends)
        how = new.precondition, new.checked, bool(new.copy_of)
        put = _Put(holdable(new.name), new.opened, new.md5.lower(), headers, *how)
        with needing("write", self._container):
            stored = await self._pool.transfer(partial(self._put, put))
        return replace(stored, name=new.name, content_type=new.content_type, metadata=_lower(new.metadata))

    async def delete(self, name: str, precondition: Precondition = UNCONDITIONAL) -> None:
        reachable(name)
        with needing("write", self._container):
            await self._pool.call(partial(self._delete, _Repetition(), name, precondition))

    async def delete_all(self, names: Sequence[str]) -> int:
        """As in `Container`."""
        return await self._deletion.delete(names)

    async def list(
        self, *, prefix: str = "", delimiter: str = "", marker: str = "", limit: int = 1000, typed: bool = False
    ) -> Page:
        try:
            with needing("read", self._container):
                return await list_container(
                    self._pool, self._container, prefix, delimiter, marker, limit, derived=self._derived
                )
        except NotFound as error:
            if self._derived:
                return Page([], [], None)
            raise Unavailable(f"there is no container {self._container!r} any more") from error

    async def usage(self) -> Usage:
        with needing("read", self._container):
            try:
                found = await self._pool.call(self._look)
            except NotFound as error:
                raise Unavailable(f"there is no container {self._container!r} any more") from error
        with parsing():
            return Usage(int(found["x-container-bytes-used"]), int(found["x-container-object-count"]))

    async def temporary_url(
        self, name: str, *, lifetime: float, filename: str | None = None, inline: bool = False
    ) -> TemporaryUrl:
        """As in `Container`. Raises NotFound: the URL has been tried."""
        reachable(name)
        sign = partial(self._signer.url, name=name, lifetime=lifetime, filename=filename, inline=inline)
        try:
            return await self._pool.call(sign)
        except NoTemporaryUrls as error:
            _log.warning("no temporary URL to %r in container %s: %s", name, self._container, error)
            raise

    def _image(self, found: StoredObject) -> StoredObject:
        """What was found. Raises NotFound where it stands for a folder of originals."""
        if not self._derived and is_folder(found):
            raise NotFound(f"{found.name!r} is a folder")
        return found

    def _look(self, connection: Any) -> Mapping[str, str]:
        headers: Mapping[str, str] = connection.head_container(self._container)
        return headers

    def _make(self, connection: Any) -> Mapping[str, str]:
        try:
            return self._look(connection)
        except ClientException as error:
            if not is_absent(error):
                raise
            connection.put_container(self._container)
            return self._look(connection)

    def _head(self, connection: Any, name: str, *, newest: bool = False) -> StoredObject:
        return from_headers(name, connection.head_object(self._container, name, headers=newest_headers(newest)))

    def _present(self, connection: Any, name: str) -> StoredObject | None:
        try:
            return self._head(connection, name)
        except ClientException as error:
            if not is_absent(error):
                raise
            return None

    def _put(self, put: _Put, connection: Any, errand: Errand) -> StoredObject:
        is_held = put.checked and (self._refuses_taken or put.is_copy)
        if not put.precondition.is_always_true and (put.sent or not is_held):
            present = self._present(connection, put.name)
            if put.sent and present is not None and present.etag == put.md5:
                return present  # it was stored; only the answer was lost
            put.precondition.check(present)
        try:
            return self._send(put, connection, errand)
        except ClientException as error:
            if put.is_copy:
                raise copy_failure(error, put.name) from error
            if error.http_status == 412 and not put.precondition.replace:
                raise Exists(f"{put.name!r} is there already") from error
            if error.http_status in (400, 414):
                raise Unholdable(f"Swift refuses {put.name!r} or its metadata ({error.http_status})") from error
            if not is_absent(error):
                raise
            if not self._create:
                raise Unavailable(f"there is no container {self._container!r}") from error
        connection.put_container(self._container)
        return self._send(put, connection, errand)

    def _send(self, put: _Put, connection: Any, errand: Errand) -> StoredObject:
        answer: dict[str, Any] = {}
        with open_source(put.opened) as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(0)
            # The client sends an empty file in chunks, with a length besides.
            sent = 0 if put.is_copy else size
            contents = Upload(file, size, errand, self._patience) if sent else None
            errand.check()
            put.sent = True
            connection.put_object(
                self._container,
                put.name,
                contents,
                content_length=sent or None,
                etag=None if put.is_copy else put.md5,
                headers=put.headers,
                response_dict=answer,
            )
        stored = from_headers(put.name, answer["headers"], size=size, rounded_down=self._rounds_down)
        if stored.etag != put.md5:
            raise Corrupt(f"Swift has stored {put.name!r} with another MD5")
        return stored

    def _delete(self, repetition: _Repetition, name: str, precondition: Precondition, connection: Any) -> None:
        if not precondition.is_always_true and not repetition.sent:
            precondition.check(self._head(connection, name))
        try:
            connection.delete_object(self._container, name)
        except ClientException as error:
            if is_absent(error) and repetition.sent:
                return  # it was deleted; only the answer was lost
            repetition.sent = error.http_status is None or error.http_status >= 500
            raise
        except OSError:
            repetition.sent = True
            raise
        if not self._derived:
            repetition.sent = True
            delete_versions(connection, self._container, name)


@dataclass(slots=True)
class _Repetition:
    """Whether the change was sent before, so that it may have been made although no answer came."""

    sent: bool = False


@dataclass(slots=True)
class _Put:
    name: str
    opened: Callable[[], BinaryIO]
    md5: str
    headers: Mapping[str, str]
    precondition: Precondition
    checked: bool = False
    is_copy: bool = False
    sent: bool = False


def _lower(metadata: Mapping[str, str]) -> dict[str, str]:
    return {key.lower(): value for key, value in metadata.items()}
