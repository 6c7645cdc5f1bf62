"""What finished uploads leave in the incoming container is deleted behind their answers."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from service.store.errors import Unavailable
from service.store.swift.discarding import Discarding


class Container:
    """Deletes when it is `let`; `deleted` has the names of each call."""

    def __init__(self) -> None:
        self.let = asyncio.Event()
        self.begun = asyncio.Event()
        self.deleted: list[list[str]] = []
        self.failures: list[Exception] = []

    async def delete(self, names: Sequence[str]) -> int:
        self.begun.set()
        await self.let.wait()
        self.deleted.append(list(names))
        if self.failures:
            raise self.failures.pop()
        return len(names)


async def test_what_comes_while_one_request_is_under_way_goes_in_the_next_together() -> None:
    container = Container()
    discarding = Discarding(container.delete)
    discarding.add(["a", "copy of a"])
    await container.begun.wait()
    for name in "bcd":
        discarding.add([name])
    assert "a" in discarding and "d" in discarding
    container.let.set()
    await discarding.close()
    assert container.deleted == [["a", "copy of a"], ["b", "c", "d"]]
    assert "a" not in discarding and "d" not in discarding


async def test_what_cannot_be_deleted_is_left_and_the_next_is_deleted(caplog: pytest.LogCaptureFixture) -> None:
    container = Container()
    container.let.set()
    container.failures.append(Unavailable("Swift does not answer"))
    discarding = Discarding(container.delete)
    with caplog.at_level("INFO"):
        discarding.add(["a"])
        await discarding.close()
        discarding.add(["b"])
        await discarding.close()
    assert container.deleted == [["a"], ["b"]]
    assert "left in the incoming container until they are swept: Swift does not answer" in caplog.text


async def test_the_end_does_not_wait_for_a_store_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.store.swift.discarding.LAST", 0.01)
    container = Container()
    discarding = Discarding(container.delete)
    discarding.add(["a"])
    await discarding.close()
    assert container.deleted == []
