"""Many objects are deleted in bulk where Swift has that, else several at once, and never more than there are
connections."""

from __future__ import annotations

import json
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from swiftclient import Connection

from service.store.errors import Unavailable
from service.store.swift.store import SwiftStore
from tests.swift.faults import NO_FAULT, Fault, FaultProxy, answer
from tests.swift.server import SwiftServer
from tests.swift.stores import make_originals, put, settings_for, started

CONNECTIONS = 4
BULK = "POST /v1/AUTH_test?bulk-delete"
NAMES = ["a?b#c%d.jpg/@w=1.jpg", "sp ace/ü 猫.jpg/@w=2.jpg", *(f"a.jpg/@w={width}.jpg" for width in range(20))]
INFO = Fault(
    lambda line: line.startswith("GET /info"), answer=answer("200 OK", b"{}", "Content-Type: application/json")
)
"""A Swift that offers no bulk deletion."""


class Crowd:
    """How many deletions were under way at once, of those that Swift's client was asked for."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.most = 0
        self._now = 0
        self._lock = threading.Lock()
        for method in ("delete_object", "post_account"):
            monkeypatch.setattr(Connection, method, self._counted(getattr(Connection, method)))

    def _counted(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arguments: Any, **more: Any) -> Any:
            with self._lock:
                self._now += 1
                self.most = max(self.most, self._now)
            try:
                return call(*arguments, **more)
            finally:
                with self._lock:
                    self._now -= 1

        return counted


@pytest.fixture
async def few(swift: SwiftServer, proxy: FaultProxy) -> AsyncIterator[SwiftStore]:
    settings = settings_for(proxy.url, connections=CONNECTIONS, retries=0)
    make_originals(swift.url, settings)
    async with started(settings) as store:
        yield store


@pytest.fixture
async def filled(few: SwiftStore, tmp_path: Path) -> SwiftStore:
    for name in NAMES:
        await put(few.derived, tmp_path, name)
    return few


async def names(store: SwiftStore) -> list[str]:
    return [kept.name for kept in (await store.derived.list()).objects]


def lines(proxy: FaultProxy, beginning: str) -> list[str]:
    return [line for line in proxy.lines if line.startswith(beginning)]


async def test_a_few_requests_delete_many_objects_where_swift_says_that_it_can(
    filled: SwiftStore, proxy: FaultProxy
) -> None:
    assert await filled.derived.delete_all([*NAMES, "a.jpg/@gone.jpg"]) == len(NAMES)
    assert await names(filled) == []
    assert len(lines(proxy, BULK)) == 1
    assert lines(proxy, "DELETE") == []


async def test_without_bulk_deletion_several_are_deleted_at_once(
    filled: SwiftStore, proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy.fault = INFO
    monkeypatch.setattr("service.store.swift.deletion._RUN", 2)
    crowd = Crowd(monkeypatch)
    assert await filled.derived.delete_all(NAMES) == len(NAMES)
    assert await names(filled) == []
    assert len(lines(proxy, "DELETE")) == len(NAMES)
    assert crowd.most == CONNECTIONS


async def test_bulk_requests_take_no_more_connections_than_there_are(
    filled: SwiftStore, proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.store.swift.deletion._BULK", 2)
    crowd = Crowd(monkeypatch)
    assert await filled.derived.delete_all(NAMES) == len(NAMES)
    assert len(lines(proxy, BULK)) == len(NAMES) // 2
    assert 1 < crowd.most <= CONNECTIONS


@pytest.mark.parametrize(
    "told",
    [
        {"Number Deleted": 0, "Number Not Found": 0, "Errors": [], "Response Status": "502 Bad Gateway"},
        {
            "Number Deleted": 0,
            "Number Not Found": 0,
            "Errors": [["/x/y", "409 Conflict"]],
            "Response Status": "400 Bad",
        },
        "no JSON",
    ],
)
async def test_what_is_not_deleted_in_bulk_is_deleted_one_by_one(
    filled: SwiftStore, proxy: FaultProxy, told: dict[str, Any] | str
) -> None:
    proxy.fault = Fault(lambda line: "bulk-delete" in line, answer=answer("200 OK", json.dumps(told).encode()))
    assert await filled.derived.delete_all(NAMES) == len(NAMES)
    assert await names(filled) == []


async def test_one_object_needs_no_question_what_swift_offers(filled: SwiftStore, proxy: FaultProxy) -> None:
    assert await filled.derived.delete_all(NAMES[:1]) == 1
    assert lines(proxy, "GET /info") == []


@pytest.mark.parametrize("offered", [True, False])
async def test_a_new_connection_that_asks_what_swift_offers_is_as_good_as_any_other(
    swift: SwiftServer, proxy: FaultProxy, tmp_path: Path, offered: bool
) -> None:
    """swiftclient opens a connection for `/info` that would send every later request below `/info`."""
    settings = settings_for(proxy.url, connections=1, retries=0)
    make_originals(swift.url, settings)
    async with started(settings) as store:
        for name in NAMES:
            await put(store.derived, tmp_path, name)
        proxy.fault = Fault(refuse=True, times=1)
        with pytest.raises(Unavailable):
            await store.derived.stat(NAMES[0])
        proxy.fault = NO_FAULT if offered else INFO
        assert await store.derived.delete_all(NAMES[1:]) == len(NAMES) - 1
        assert await names(store) == NAMES[:1]
        assert [line for line in proxy.lines if " /info" in line] == ["GET /info HTTP/1.1"]


async def test_a_failure_is_told_after_all_others_were_deleted(filled: SwiftStore, proxy: FaultProxy) -> None:
    proxy.fault = Fault(
        lambda line: "w%3D7." in line or line.startswith("GET /info"), answer=answer("503 Service Unavailable")
    )
    with pytest.raises(Unavailable):
        await filled.derived.delete_all(NAMES)
    proxy.fault = NO_FAULT
    assert await names(filled) == ["a.jpg/@w=7.jpg"]
