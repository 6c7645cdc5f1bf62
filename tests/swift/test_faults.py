"""A Swift that is down, slow, full, lying or cut off spoils nothing and is recovered from."""

import asyncio
import hashlib
import random
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from service.api.http.problems import document
from service.store.base import Precondition
from service.store.errors import Corrupt, Exists, NotFound, StoreError, StoreFull, Unavailable
from service.store.swift import transfer
from service.store.swift.store import SwiftStore
from tests.swift.faults import NO_FAULT, Fault, FaultProxy, answer
from tests.swift.server import SwiftServer, running_swift
from tests.swift.stores import FREE, client, content, make_originals, named, put, settings_for, started
from tests.waiting import eventually

pytestmark = pytest.mark.slow

impatient = pytest.mark.parametrize("store", [1], indirect=True)
"""The store waits for a second."""

DATA = random.Random(1).randbytes(400_000)
HTML = answer("200 OK", b"<html>Please log in to the network</html>", "Content-Type: text/html")


def is_get(line: str) -> bool:
    return line.startswith("GET /v1/") and "format=json" not in line


def is_put(line: str) -> bool:
    return line.startswith("PUT /v1/")


def is_delete(line: str) -> bool:
    return line.startswith("DELETE ")


def breaker_state(store: SwiftStore) -> str:
    return store.pool.breaker.state


def end_pause(store: SwiftStore) -> None:
    """End the two seconds for which a breaker that is open lets nothing through, and the one after a failed login."""
    store.pool.breaker._blocked_until = 0.0
    store.pool.tokens._failed_at = 0.0


@pytest.mark.parametrize("spoil", [{"cut": 0}, {"cut": 200_000}, {"flip": 0}, {"flip": 399_999}, {"answer": HTML}])
async def test_a_spoiled_download_never_becomes_a_file(
    store: SwiftStore, proxy: FaultProxy, tmp_path: Path, spoil: dict[str, Any]
) -> None:
    await put(store.originals, tmp_path, "a", DATA)
    proxy.fault = Fault(is_get, **spoil)
    with pytest.raises((Corrupt, Unavailable)):
        await store.originals.fetch("a", tmp_path / "target")
    assert not (tmp_path / "target").exists()
    assert len(proxy.fault.seen) == 3
    proxy.fault = NO_FAULT
    end_pause(store)
    assert await content(store.originals, tmp_path, "a") == DATA


@pytest.mark.parametrize(
    "spoil", [{"cut": 100}, {"flip": 5}, {"refuse": True}, {"answer": answer("503 Busy")}, {"answer": HTML}]
)
async def test_a_download_that_is_spoiled_once_succeeds(
    store: SwiftStore, proxy: FaultProxy, tmp_path: Path, spoil: dict[str, Any]
) -> None:
    await put(store.originals, tmp_path, "a", DATA)
    proxy.fault = Fault(is_get, times=1, **spoil)
    assert await content(store.originals, tmp_path, "a") == DATA
    assert store.pool.repeated == 1


async def test_a_proxys_404_is_not_swifts_word(store: SwiftStore, proxy: FaultProxy, tmp_path: Path) -> None:
    await put(store.originals, tmp_path, "a")
    proxy.fault = Fault(answer=answer("404 Not Found"))
    for call in (store.originals.stat("a"), store.originals.fetch("a", tmp_path / "t"), store.originals.delete("a")):
        with pytest.raises(Unavailable):
            await call
    proxy.fault = NO_FAULT
    assert await store.originals.stat("a")


@pytest.mark.parametrize(
    "spoil",
    [HTML, answer("200 OK", b"[1, 2]", "Content-Type: application/json"), answer("200 OK"), b"no HTTP\r\n\r\n", b"\0"],
)
async def test_garbage_is_no_answer_to_anything(
    store: SwiftStore, proxy: FaultProxy, tmp_path: Path, spoil: bytes
) -> None:
    await put(store.originals, tmp_path, "a")
    calls: list[Callable[[], Awaitable[object]]] = [
        lambda: store.originals.stat("a"),
        store.originals.list,
        lambda: store.originals.fetch("a", tmp_path / "target"),
        lambda: put(store.originals, tmp_path, "b"),
    ]
    proxy.fault = Fault(answer=spoil)
    for call in calls:
        with pytest.raises(Unavailable):
            await call()
    assert not (tmp_path / "target").exists()


@impatient
async def test_a_silent_swift_costs_its_time_limit_and_then_is_not_asked_for_a_while(
    store: SwiftStore, proxy: FaultProxy, tmp_path: Path
) -> None:
    await put(store.originals, tmp_path, "a")
    proxy.fault = Fault(silent=True)
    results = await asyncio.gather(*(store.originals.stat("a") for _ in range(8)), return_exceptions=True)
    assert all(isinstance(result, Unavailable) for result in results)
    assert breaker_state(store) == "open"
    asked, store.pool.breaker._clock = len(proxy.fault.seen), lambda: store.pool.breaker._blocked_until - 1
    for _ in range(100):
        with pytest.raises(Unavailable) as refusal:
            await store.originals.stat("a")
        assert refusal.value.retry_after >= 1
    assert len(proxy.fault.seen) == asked
    store.pool.breaker._clock = time.monotonic
    proxy.fault = NO_FAULT
    end_pause(store)
    assert await store.originals.stat("a")
    assert breaker_state(store) == "closed"


async def test_a_cancelled_fetch_from_a_slow_swift_returns_before_it_is_over(
    store: SwiftStore, proxy: FaultProxy, tmp_path: Path
) -> None:
    await put(store.originals, tmp_path, "a", DATA)
    proxy.fault = Fault(is_get, rate=20_000)
    task = asyncio.create_task(store.originals.fetch("a", tmp_path / "target"))
    await eventually((tmp_path / "target").exists)
    started_at = time.monotonic()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert time.monotonic() - started_at < 10  # the rest would take twenty
    assert not (tmp_path / "target").exists()


@impatient
async def test_a_download_that_trickles_is_given_up(
    store: SwiftStore, proxy: FaultProxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfer, "_SLOWEST", 1_000_000)
    await put(store.originals, tmp_path, "a", DATA)
    proxy.fault = Fault(is_get, rate=50_000)
    with pytest.raises(Unavailable):
        await store.originals.fetch("a", tmp_path / "target")
    assert not (tmp_path / "target").exists()


@pytest.mark.parametrize("options", [{}, {"precondition": FREE}])
async def test_an_upload_whose_answer_is_lost_is_stored_and_told_so(
    store: SwiftStore, proxy: FaultProxy, tmp_path: Path, options: dict[str, Precondition]
) -> None:
    proxy.fault = Fault(is_put, times=1, lose=True)
    stored = await put(store.originals, tmp_path, "a", DATA, **options)
    assert len(proxy.fault.seen) == 1
    assert await store.originals.stat("a") == stored
    with pytest.raises(Exists):
        await put(store.originals, tmp_path, "a", b"other", precondition=FREE)


async def test_a_replacement_whose_answer_is_lost_is_no_failed_precondition(
    store: SwiftStore, proxy: FaultProxy, tmp_path: Path
) -> None:
    first = await put(store.originals, tmp_path, "a", b"first")
    proxy.fault = Fault(is_put, times=1, lose=True)
    second = await put(store.originals, tmp_path, "a", b"second", precondition=named(first.etag))
    assert (await store.originals.stat("a")).etag == second.etag == hashlib.md5(b"second").hexdigest()


@pytest.mark.parametrize("spoil", [{"take": 100_000}, {"refuse": True}, {"answer": answer("503 Busy")}])
async def test_a_failed_upload_leaves_nothing(
    swift: SwiftServer, store: SwiftStore, proxy: FaultProxy, tmp_path: Path, spoil: dict[str, Any]
) -> None:
    proxy.fault = Fault(is_put, **spoil)
    with pytest.raises(Unavailable):
        await put(store.originals, tmp_path, "a", DATA)
    proxy.fault = Fault(is_put, times=1, **spoil)
    end_pause(store)
    with pytest.raises(NotFound):
        await store.originals.stat("a")
    await put(store.originals, tmp_path, "a", DATA)
    assert await content(store.originals, tmp_path, "a") == DATA


async def test_a_deletion_whose_answer_is_lost_is_done(store: SwiftStore, proxy: FaultProxy, tmp_path: Path) -> None:
    first = await put(store.originals, tmp_path, "a")
    proxy.fault = Fault(is_delete, times=1, lose=True)
    await store.originals.delete("a", named(first.etag))
    with pytest.raises(NotFound):
        await store.originals.delete("a")


@pytest.mark.parametrize("size", [2_000, 3_000_000])
async def test_a_full_container_is_told_apart_and_stores_nothing(
    swift: SwiftServer, store: SwiftStore, tmp_path: Path, size: int
) -> None:
    settings = settings_for(swift.url)
    make_originals(swift.url, settings)
    client(swift.url).post_container(settings.container, {"X-Container-Meta-Quota-Bytes": "1000"})
    async with started(settings) as full:
        with pytest.raises(StoreFull):
            await put(full.originals, tmp_path, "a", bytes(size))
        with pytest.raises(NotFound):
            await full.originals.stat("a")
        await put(full.originals, tmp_path, "b", bytes(500))


async def test_insufficient_storage_is_told_apart(store: SwiftStore, proxy: FaultProxy, tmp_path: Path) -> None:
    proxy.fault = Fault(is_put, answer=answer("507 Insufficient Storage"))
    with pytest.raises(StoreFull):
        await put(store.originals, tmp_path, "a")


async def test_a_refusal_says_when_to_come_again(store: SwiftStore, proxy: FaultProxy) -> None:
    proxy.fault = Fault(answer=answer("429 Too Many Requests", b"", "Retry-After: 17"))
    with pytest.raises(Unavailable) as refusal:
        await store.originals.stat("a")
    assert refusal.value.retry_after == 17
    assert len(proxy.fault.seen) == 1


async def test_no_failure_holds_a_secret_and_no_client_sees_a_url(store: SwiftStore, proxy: FaultProxy) -> None:
    for spoil in ({"refuse": True}, {"answer": answer("500 Oops")}, {"answer": answer("403 Forbidden")}):
        proxy.fault = Fault(**spoil)
        with pytest.raises(StoreError) as failure:
            await store.originals.stat("a-name")
        assert "testing" not in str(failure.value)  # the key
        assert not [word for word in ("http:", "AUTH_", "127.0.0.1") if word in document(failure.value)["detail"]]


async def test_swift_may_die_and_come_back(tmp_path: Path) -> None:
    with running_swift(tmp_path / "swift") as server:
        settings = settings_for(server.url)
        make_originals(server.url, settings)
        async with started(settings) as store:
            await put(store.originals, tmp_path, "a", DATA)
            server.stop()
            for _ in range(3):
                with pytest.raises(Unavailable):
                    await store.originals.fetch("a", tmp_path / "target")
            assert not (tmp_path / "target").exists()
            server.start()
            end_pause(store)
            assert await content(store.originals, tmp_path, "a") == DATA


async def test_a_store_that_starts_before_swift_makes_what_it_needs_later(tmp_path: Path) -> None:
    with running_swift(tmp_path / "swift") as server:
        settings = settings_for(server.url)
        make_originals(server.url, settings)
        server.stop()
        store = SwiftStore(settings)
        try:
            with pytest.raises(Unavailable):
                await store.start()
            server.start()
            end_pause(store)
            await put(store.derived, tmp_path, "a/@w=1.jpg", DATA)
            assert await content(store.derived, tmp_path, "a/@w=1.jpg") == DATA
            assert (await store.derived.temporary_url("a/@w=1.jpg", lifetime=60)).url
        finally:
            await store.close()
