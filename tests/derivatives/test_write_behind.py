"""What is kept behind the answers: a few at once, few waiting, and the rest is counted and left."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from service.derivatives import write_behind
from service.derivatives.write_behind import AT_ONCE, MOST, UNPERSISTED, WriteBehind
from service.store.errors import Unavailable
from tests import images
from tests.cache.nodes import Node, node
from tests.waiting import PATIENCE


class Store:
    """Takes names when it is `open`, and knows how many were sent at once."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.kept: list[str] = []
        self.sent = self.most_sent = 0

    async def keep(self, name: str) -> None:
        self.sent += 1
        self.most_sent = max(self.most_sent, self.sent)
        try:
            await self.open.wait()
            self.kept.append(name)
        finally:
            self.sent -= 1


def unpersisted() -> float:
    return float(UNPERSISTED._value.get())


async def test_a_slow_store_gathers_no_more_than_a_few() -> None:
    store, before = Store(), unpersisted()
    waiting = WriteBehind(store.keep)
    for number in range(MOST + 10):
        waiting.add(str(number))
    await asyncio.sleep(0)
    assert len(waiting) == MOST
    assert unpersisted() - before == 10
    store.open.set()
    await waiting.close()
    assert store.kept == [str(number) for number in range(MOST)]
    assert store.most_sent == AT_ONCE
    waiting.add("again")
    await waiting.close()
    assert store.kept[-1] == "again"


async def test_an_end_waits_for_no_store_that_never_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(write_behind, "PATIENCE", 0.01)
    store, before = Store(), unpersisted()
    waiting = WriteBehind(store.keep)
    for number in range(AT_ONCE + 2):
        waiting.add(str(number))
    async with asyncio.timeout(PATIENCE):
        await waiting.close()
    assert (len(waiting), store.sent, store.kept) == (0, 0, [])
    assert unpersisted() - before == AT_ONCE + 2


async def test_a_store_that_refuses_ends_nothing(caplog: pytest.LogCaptureFixture) -> None:
    async def keep(name: str) -> None:
        raise Unavailable(f"not now, {name}")

    waiting = WriteBehind(keep)
    waiting.add("cat.jpg/@w=9.png")
    await waiting.close()
    assert "the derived container did not take cat.jpg/@w=9.png: not now" in caplog.text


@pytest.fixture
async def one(tmp_path: Path) -> AsyncIterator[Node]:
    async with node(tmp_path, {"cache": {"persist": "always"}}) as running:
        await running.upload("a.png", images.png(images.flat(40, 8, (1, 2, 3))))
        yield running


async def test_misses_go_on_while_the_derived_container_takes_nothing(
    one: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    await one.context.derivatives.close()
    monkeypatch.setattr(write_behind, "MOST", 3)
    answers, before = asyncio.Event(), unpersisted()
    container = one.context.store.derived
    put = container.put

    async def held(*args: object, **options: object) -> object:
        await answers.wait()
        return await put(*args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(container, "put", held)
    made = [await one.api(f"a.png/@w={width}.png") for width in range(10, 20)]
    assert {(answer.status, answer.headers["X-Cache"]) for answer in made} == {(200, "MISS")}
    assert (len(one.context.derivatives.maker.backlog), unpersisted() - before) == (3, 7)
    answers.set()
    await one.context.derivatives.close()
    kept = {kept.name for kept in (await container.list()).objects}
    assert {f"a.png/@w={width}.png" for width in range(10, 20)} & kept == {f"a.png/@w={w}.png" for w in (10, 11, 12)}
