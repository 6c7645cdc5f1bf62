"""One real Swift for the session, and a proxy before it that can spoil what passes."""

from collections.abc import AsyncIterator, Iterator

import pytest

from service.store.swift import SwiftStore
from tests.swift.faults import FaultProxy
from tests.swift.server import SwiftServer, running_swift
from tests.swift.stores import make_originals, settings_for, started


@pytest.fixture(scope="session")
def swift(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SwiftServer]:
    with running_swift(tmp_path_factory.mktemp("swift")) as server:
        yield server


@pytest.fixture
async def proxy(swift: SwiftServer) -> AsyncIterator[FaultProxy]:
    async with FaultProxy(swift.url).running() as proxy:
        yield proxy


@pytest.fixture
async def store(swift: SwiftServer, proxy: FaultProxy) -> AsyncIterator[SwiftStore]:
    """A store that reaches Swift through the proxy, patient for one second."""
    settings = settings_for(proxy.url, timeout=1)
    make_originals(swift.url, settings)
    async with started(settings) as store:
        yield store
