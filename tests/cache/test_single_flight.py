"""Single flight: concurrent requests for one name share one result or one failure; leaving does not affect others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from service.cache.flight import Flights
from tests import images
from tests.cache.nodes import Node, node
from tests.waiting import eventually

PHOTO = images.jpeg(images.photo(800, 600), quality=85)


@pytest.fixture
async def one(tmp_path: Path) -> AsyncIterator[Node]:
    async with node(tmp_path, nginx=True) as running:
        await running.upload("photo.jpg", PHOTO)
        yield running


async def test_500_cold_requests_through_nginx_are_one_computation(one: Node) -> None:
    before = one.made
    answers = await asyncio.gather(*(one.public("photo.jpg/@w=300.webp") for _ in range(500)))
    assert {answer.status for answer in answers} == {200}
    assert len({answer.body for answer in answers}) == 1
    assert one.made - before == 1


async def test_clients_that_leave_cost_the_others_nothing(one: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    before, flights, go_on = one.made, one.context.derivatives.flights, asyncio.Event()
    joined, get = flights.shared, one.context.originals.get

    async def held(name: str) -> object:
        await go_on.wait()
        return await get(name)

    monkeypatch.setattr(one.context.originals, "get", held)
    leaving = [asyncio.create_task(one.public("photo.jpg/@w=310.png")) for _ in range(199)]
    await eventually(lambda: flights.shared == joined + 198)
    staying = asyncio.create_task(one.public("photo.jpg/@w=310.png"))
    await eventually(lambda: flights.shared == joined + 199)
    for task in leaving:  # the one that began the flight is among them
        task.cancel()
    await asyncio.gather(*leaving, return_exceptions=True)
    go_on.set()
    assert (await staying).status == 200
    assert one.made - before == 1


async def test_when_all_have_left_nothing_is_made_and_the_next_is_answered(one: Node) -> None:
    tasks = [asyncio.create_task(one.api("photo.jpg/@w=320,q=auto.webp")) for _ in range(20)]
    await asyncio.sleep(0.01)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.sleep(0.05)
    await eventually(lambda: len(one.context.derivatives.flights) == 0)
    assert (await one.api("photo.jpg/@w=320,q=auto.webp")).status == 200


async def test_an_image_that_cannot_be_decoded_is_tried_once_a_missing_one_asked_for_once(one: Node) -> None:
    store = one.root / "var/store"
    (store / "half.jpg").write_bytes(PHOTO[: len(PHOTO) // 2])
    answers = [*await asyncio.gather(*(one.public("half.jpg/@w=9.png") for _ in range(50)))]
    answers += [await one.public("half.jpg/@w=9.png") for _ in range(3)]
    assert {answer.status for answer in answers} == {422}
    assert one.context.engine.stats.ended["undecodable"] == 1
    (store / "half.jpg").unlink()
    asked, flights = 0, one.context.derivatives.flights
    container, joined = one.context.store.originals, flights.shared
    fetch = container.fetch

    async def counted(name: str, target: Path) -> object:
        nonlocal asked
        asked += 1
        await eventually(lambda: flights.shared == joined + 49)  # who comes later than in two seconds may ask anew
        return await fetch(name, target)

    container.fetch = counted  # type: ignore[method-assign,assignment]  # a real store that is watched
    answers = [*await asyncio.gather(*(one.public("nobody.jpg/@w=9.png") for _ in range(50)))]
    assert {answer.status for answer in answers} == {404}
    assert asked == 1


async def test_a_failure_of_the_moment_is_not_remembered(one: Node) -> None:
    store = one.root / "var/store"
    moved = store.with_name("moved")
    store.rename(moved)
    assert (await one.public("photo.jpg/@w=330.png")).status in (503, 200)
    assert (await one.public("unseen.jpg/@w=330.png")).status == 503
    moved.rename(store)
    (store / "unseen.jpg").write_bytes(PHOTO)
    assert (await one.public("unseen.jpg/@w=330.png")).status == 200


async def test_a_flight_is_shared_and_its_failure_is_told_to_all() -> None:
    flights: Flights[int] = Flights()
    runs = 0

    async def work() -> int:
        nonlocal runs
        runs += 1
        await asyncio.sleep(0)
        raise ValueError("no")

    outcomes = await asyncio.gather(*(flights.join("a", work) for _ in range(9)), return_exceptions=True)
    assert [str(outcome) for outcome in outcomes] == ["no"] * 9
    assert (runs, flights.shared, len(flights)) == (1, 8, 0)
