"""One gateway for all tests of the API, each with a folder of its own; and the handlers alone, in this process."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient
from pytest_aiohttp import AiohttpClient

from tests import images
from tests.api.handlers import handlers
from tests.gateways import Gateway, running_gateway

_serial = itertools.count()


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway with small limits."""
    options = {
        "limits": {"upload": "2MiB", "archive_files": 5, "archive_bytes": "64KiB"},
        "presets": {"thumbnail": "w=50,h=50,sharpen=0.5", "wide": "w=600"},
        "public": {"max_age": "5m"},
    }
    with running_gateway(tmp_path_factory.mktemp("api"), options) as running:
        yield running


@pytest.fixture
async def alone(aiohttp_client: AiohttpClient, tmp_path: Path) -> AsyncIterator[TestClient[Any, Any]]:
    """The API's handlers in this process, on an empty store; for what needs neither nginx nor an engine."""
    async with handlers(tmp_path / "alone") as (app, _):
        yield await aiohttp_client(app)


@pytest.fixture
def folder() -> str:
    """A folder of its own."""
    return f"folder-{next(_serial)}"


@pytest.fixture(scope="session")
def cat() -> bytes:
    return images.jpeg(images.photo(320, 240), exif=images.exif(1))


@pytest.fixture(scope="session")
def dog() -> bytes:
    return images.png(images.flat(80, 60))
