"""Stores for tests on a real Swift, and the plain client that tells what is really there."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from swiftclient import Connection

from service.store.base import Container, NewObject, Precondition, StoredObject
from service.store.swift.settings import SwiftSettings
from service.store.swift.store import SwiftStore


def settings_for(url: str, **changes: Any) -> SwiftSettings:
    """Settings with containers of their own."""
    settings = SwiftSettings(
        container=f"originals-{uuid.uuid4().hex}",
        derived_container=f"derived-{uuid.uuid4().hex}",
        auth_url=f"{url}/auth/v1.0",
        user="test:tester",
        key="testing",
        timeout=30,
        connections=8,
    )
    return dataclasses.replace(settings, **changes)


def client(url: str) -> Connection:
    """Swift's own client, as another program would use it."""
    return Connection(f"{url}/auth/v1.0", "test:tester", "testing", retries=1, starting_backoff=0.05, timeout=60)


def make_originals(url: str, settings: SwiftSettings) -> None:
    with contextlib.closing(client(url)) as connection:
        connection.put_container(settings.container)


@contextlib.asynccontextmanager
async def started(settings: SwiftSettings) -> AsyncIterator[SwiftStore]:
    store = SwiftStore(settings)
    try:
        await store.start()
        yield store
    finally:
        await store.close()


async def put(container: Container, directory: Path, name: str, data: bytes = b"bytes", **options: Any) -> StoredObject:
    source = directory / f"source-{uuid.uuid4().hex}"
    source.write_bytes(data)
    usual = {"content_type": "image/jpeg", "md5": hashlib.md5(data).hexdigest()}
    return await container.put(NewObject(name, source, **usual | options))


FREE = Precondition(replace=False)
"""The name must be free."""


def named(etag: str) -> Precondition:
    """The name must hold the object of this ETag."""
    return Precondition(if_match=frozenset((etag,)))


async def content(container: Container, directory: Path, name: str) -> bytes:
    target = directory / f"target-{uuid.uuid4().hex}"
    await container.fetch(name, target)
    return target.read_bytes()
