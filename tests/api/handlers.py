"""The API's handlers in this process, called by pytest-aiohttp's client; for what needs neither nginx nor an engine."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, cast

from aiohttp import web

from gateway.config import rules_of
from service.api.app import api_app
from service.api.http.context import Context
from service.open_store import open_store
from service.runtime.configuration import read_config
from service.store.base import NewObject, Store
from tests.gateways import write_config

ABSENT = cast(Any, None)  # a part that these handlers never use; one that does answers 500


@contextlib.asynccontextmanager
async def handlers(
    root: Path, options: Mapping[str, Any] | None = None
) -> AsyncIterator[tuple[web.Application, Store]]:
    """The API on a directory store below `root`, and that store."""
    root.mkdir(parents=True, exist_ok=True)
    config, _ = read_config(write_config(root, options or {}, [1, 2]))  # ports that nothing listens on
    store = open_store(config)
    await store.start()
    try:
        yield api_app(Context(config, rules_of(config), store, *[ABSENT] * 7)), store
    finally:
        await store.close()


async def put(store: Store, scratch: Path, name: str, data: bytes, content_type: str) -> None:
    """Store an original without the engine, which would look at it first. The store takes `scratch` over."""
    scratch.write_bytes(data)
    await store.originals.put(NewObject(name, scratch, content_type, hashlib.md5(data).hexdigest()))
