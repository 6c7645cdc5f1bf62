"""A proxy before the real Swift that can spoil what passes, and a store that reaches Swift through it."""

from collections.abc import AsyncIterator

import pytest

from service.store.swift.store import SwiftStore
from tests.swift.faults import FaultProxy
from tests.swift.server import SwiftServer
from tests.swift.stores import make_originals, settings_for, started
from tests.waiting import PATIENCE


@pytest.fixture
async def proxy(swift: SwiftServer) -> AsyncIterator[FaultProxy]:
    async with FaultProxy(swift.url).running() as proxy:
        yield proxy


@pytest.fixture
async def store(request: pytest.FixtureRequest, swift: SwiftServer, proxy: FaultProxy) -> AsyncIterator[SwiftStore]:
    """A store that reaches Swift through the proxy. A test of its patience says by `@impatient` that it is short."""
    settings = settings_for(proxy.url, timeout=getattr(request, "param", PATIENCE))
    make_originals(swift.url, settings)
    async with started(settings) as store:
        yield store
