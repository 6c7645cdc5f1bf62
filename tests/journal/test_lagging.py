"""Nodes follow each other where Swift's replicas lag, entries are slow and outcomes are lost: nothing old stays."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from functools import partial
from typing import Any

import pytest
import pytest_asyncio

from gateway.journal import ANY_NODE
from tests import images
from tests.cache.nodes import Answer, Node, node
from tests.conftest import swift_options
from tests.journal.test_following import entries, has_read
from tests.swift.lagging import LaggingSwift
from tests.swift.server import SwiftServer
from tests.waiting import eventually

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]
LEAF = "@w=4.png"


def picture(number: int) -> bytes:
    return images.png(images.flat(8, 8, colour(number)))


def colour(number: int) -> tuple[int, int, int]:
    return (number, 255 - number, 77)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def lagging(swift: SwiftServer) -> AsyncIterator[LaggingSwift]:
    async with LaggingSwift(swift.url).running() as proxy:
        yield proxy


@pytest.fixture(scope="module")
def options(swift: SwiftServer, lagging: LaggingSwift) -> dict[str, Any]:
    options = swift_options(swift)
    options["store"]["swift"] |= {"auth_url": f"{lagging.url}/auth/v1.0", "retries": 0}
    cache = {"revalidate": "1h", "journal": "100ms", "journal_lag": "20s"}
    return {**options, "cache": cache, "engine": {"processes": 1}}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def two(options: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Node, Node]]:
    folder = tmp_path_factory.mktemp("two")
    async with AsyncExitStack() as stack:
        nodes = [await stack.enter_async_context(node(folder / name, options)) for name in ("one", "two")]
        for one in nodes:
            await eventually(partial(has_read, one))
        yield nodes[0], nodes[1]


@pytest.fixture(autouse=True)
def healthy(lagging: LaggingSwift) -> None:
    """A test begins with a Swift that does not lag."""
    lagging.stale = 0.0
    lagging.rows = lagging.slow = lambda path: 0.0
    lagging.loses = lambda path: False


async def shows(one: Node, name: str, number: int) -> Answer:
    """The first answer of a node that has this colour. Any other answer before it is of another version."""
    for _ in range(1200):
        answer = await one.api(f"{name}/{LEAF}")
        if answer.status == 200 and answer.colour == colour(number):
            return answer
        await asyncio.sleep(0.05)
    raise AssertionError(f"{name} is never shown as it is now")


async def test_object_servers_that_answer_what_was_there_before_are_not_believed_after_an_entry(
    two: tuple[Node, Node], lagging: LaggingSwift
) -> None:
    await two[0].upload("stale.png", picture(1))
    for one in two:
        await shows(one, "stale.png", 1)
    lagging.stale = 20.0
    for number in (2, 1):  # and back again
        await two[0].upload("stale.png", picture(number))
        answers = [await shows(one, "stale.png", number) for one in two]
        assert answers[0].headers["ETag"] == answers[1].headers["ETag"]
        for _ in range(10):
            assert [(await one.api(f"stale.png/{LEAF}")).colour for one in two] == [colour(number)] * 2


async def test_an_entry_whose_row_shows_late_is_followed_when_it_shows(
    two: tuple[Node, Node], lagging: LaggingSwift
) -> None:
    """A later entry that shows at once moves the reading on."""
    await two[0].upload("late.png", picture(3))
    for one in two:
        await shows(one, "late.png", 3)
    lagging.rows = lambda path: 5.0 if path.endswith("late.png") else 0.0
    await two[0].upload("late.png", picture(4))
    await two[0].upload("other.png", picture(4))
    await shows(two[1], "late.png", 4)


async def test_an_entry_whose_put_is_slow_is_written_again_and_followed(
    two: tuple[Node, Node], lagging: LaggingSwift, swift: SwiftServer, options: dict[str, Any]
) -> None:
    await two[0].upload("slow.png", picture(5))
    for one in two:
        await shows(one, "slow.png", 5)
    lagging.slow = lambda path: 2.5 if "-journal/" in path else 0.0
    await two[0].upload("slow.png", picture(6))
    await shows(two[1], "slow.png", 6)
    written = [entry for entry in entries(swift, options) if entry.name == "slow.png"]
    assert len([entry for entry in written if entry.etag == written[-1].etag]) >= 2


async def test_a_change_whose_outcome_is_lost_is_followed_by_all(
    two: tuple[Node, Node], lagging: LaggingSwift, swift: SwiftServer, options: dict[str, Any]
) -> None:
    await two[0].upload("lost.png", picture(7))
    for one in two:
        await shows(one, "lost.png", 7)
    lagging.loses = lambda path: path.endswith("/lost.png") and "-journal/" not in path
    assert (await two[0].upload("lost.png", picture(8))).status == 503
    for one in two:
        await shows(one, "lost.png", 8)
    assert ANY_NODE in {entry.node for entry in entries(swift, options) if entry.name == "lost.png"}
