"""More misses than can be made: what cannot be is refused before it costs the store anything, and all is well after."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.names import Name
from service.derivatives.derivatives import FLIGHTS
from service.engine.job import Saturated
from tests import images
from tests.cache.nodes import Answer, Node, node
from tests.waiting import PATIENCE, eventually

HEAVY = "photo.jpg/@w=1200,q=auto,blur=9.avif"


@pytest.fixture
async def one(tmp_path: Path) -> AsyncIterator[Node]:
    async with node(tmp_path, {"engine": {"processes": 1}, "limits": {"queue": 1}}) as running:
        await running.upload("photo.jpg", images.jpeg(images.photo(1600, 1200), quality=85))
        yield running


async def test_a_store_that_is_slow_does_not_gather_requests_without_end(
    one: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = asyncio.Event()
    container = one.context.store.originals
    fetch = container.fetch

    async def slow(name: str, target: Path) -> object:
        await answers.wait()
        return await fetch(name, target)

    monkeypatch.setattr(container, "fetch", slow)
    derivatives, public = one.context.derivatives, FLIGHTS * one.context.engine.capacity
    most = 2 * FLIGHTS * one.context.engine.capacity  # twice as many as the public may have
    waiting: list[asyncio.Future[Answer]] = []
    await eventually(lambda: len(derivatives.flights) == 0)  # of the upload
    for bound in (public, most):
        missing = range(len(waiting), bound)
        waiting += [asyncio.ensure_future(one.api(f"missing-{number}.jpg/@w=9.png")) for number in missing]
        async with asyncio.timeout(PATIENCE):
            while len(derivatives.flights) < bound:
                await asyncio.sleep(0.01)
        with pytest.raises(Saturated):
            await derivatives.get(Name("other.jpg", {"w": "9"}, "png"), lane="small")
    refused = await asyncio.gather(*(one.api(f"other-{number}.jpg/@w=9.png") for number in range(20)))
    assert {answer.status for answer in refused} == {503}
    assert all(int(answer.headers["Retry-After"]) >= 1 for answer in refused)
    assert (await one.api("photo.jpg/@full.jpg")).status == 503
    answers.set()
    assert {answer.status for answer in await asyncio.gather(*waiting)} == {404}
    assert (await one.api("photo.jpg/@full.jpg")).status == 200


async def test_who_joins_a_request_of_the_publics_that_is_refused_is_not_refused_with_it(
    one: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    derivatives, engine = one.context.derivatives, one.context.engine
    begun, go_on = asyncio.Event(), asyncio.Event()
    get = one.context.originals.get

    async def slow(name: str) -> object:
        begun.set()
        await go_on.wait()
        return await get(name)

    def full(lane: str) -> None:
        if lane != "api":
            raise Saturated("the public's lane is full")

    monkeypatch.setattr(one.context.originals, "get", slow)
    monkeypatch.setattr(engine, "require_room", full)
    public = asyncio.ensure_future(derivatives.get(Name("photo.jpg", {"w": "9"}, "png"), lane="small"))
    await begun.wait()
    inside = asyncio.ensure_future(one.api("photo.jpg/@w=9.png"))
    async with asyncio.timeout(PATIENCE):
        while not derivatives.flights.shared:
            await asyncio.sleep(0.01)
    go_on.set()
    with pytest.raises(Saturated):
        await public
    assert (await inside).status == 200


async def test_with_a_full_queue_the_derived_container_is_not_asked(one: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (await one.api("photo.jpg/@w=9.png")).status == 200
    asked: list[str] = []
    container = one.context.store.derived
    stat = container.stat
    busy = [asyncio.ensure_future(one.api(HEAVY.replace("1200", f"{1200 + number}"))) for number in range(2)]
    while not one.context.engine.waiting["api"]:
        await asyncio.sleep(0.01)

    async def counted(name: str) -> object:
        asked.append(name)
        return await stat(name)

    monkeypatch.setattr(container, "stat", counted)
    refused_before = one.context.engine.stats.refused
    refused = await asyncio.gather(*(one.api(f"photo.jpg/@w={10 + number}.png") for number in range(4)))
    assert {answer.status for answer in refused} == {503}
    assert not asked
    assert one.context.engine.stats.refused - refused_before == 4
    for task in busy:
        task.cancel()
    await asyncio.gather(*busy, return_exceptions=True)
