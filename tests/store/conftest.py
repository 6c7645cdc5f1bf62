"""The stores that the contract is checked against, each fresh and empty for every test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from swiftclient import Connection

from service.store.base import Store
from service.store.directory.settings import DirectorySettings
from service.store.directory.store import DirectoryStore
from service.store.swift.settings import SwiftSettings
from service.store.swift.store import SwiftStore
from tests.swift.server import SwiftServer
from tests.swift.stores import settings_for


@pytest.fixture(params=["directory", "swift"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    store: Store
    if request.param == "directory":
        store = DirectoryStore(DirectorySettings(tmp_path / "originals", tmp_path / "derived"))
    else:
        store = SwiftStore(settings_of(request.getfixturevalue("swift")))
    await store.start()
    yield store
    await store.close()


def settings_of(swift: SwiftServer) -> SwiftSettings:
    """Settings with an empty container of originals of its own."""
    settings = settings_for(swift.url)
    connection = Connection(settings.auth_url, settings.user, settings.key, retries=0, timeout=60)
    connection.put_container(settings.container)
    connection.close()
    return settings
