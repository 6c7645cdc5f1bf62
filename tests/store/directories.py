"""Directory stores for tests."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from service.store.directory.settings import DirectorySettings
from service.store.directory.store import DirectoryStore


@contextlib.asynccontextmanager
async def started(root: Path, derived: Path) -> AsyncIterator[DirectoryStore]:
    """A store that runs until the block ends."""
    store = DirectoryStore(DirectorySettings(root, derived))
    await store.start()
    try:
        yield store
    finally:
        await store.close()


async def names(store: DirectoryStore) -> list[str]:
    """The originals that a listing has."""
    return [found.name for found in (await store.originals.list()).objects]
