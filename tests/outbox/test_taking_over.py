"""Which messages a node takes from another one, by its own clock, which stands still here until it is moved."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from service.cache.work import Work
from service.outbox import adoption
from service.outbox.adoption import Adoption
from service.outbox.box import ALIVE, DEAD, OUTBOX, Box
from service.outbox.change import Change, Message, new_id, written
from service.outbox.outbox import Outbox
from service.store.directory.settings import DirectorySettings
from service.store.directory.store import DirectoryStore
from service.store.errors import Exists, NotFound, Unavailable

TAKE_OVER = 60.0
RECEIVER = "events-12345678"
CHANGE = Change("deleted", ("dog.png",))


@pytest.fixture
async def box(tmp_path: Path) -> AsyncIterator[Box]:
    store = DirectoryStore(
        DirectorySettings(tmp_path / "store", tmp_path / "derived", home=tmp_path, outbox=tmp_path / "outbox")
    )
    await store.start()
    work = tmp_path / "work"
    work.mkdir()
    assert store.outbox
    yield Box(store.outbox, Work(work, None))
    await store.close()


@dataclass
class Clock:
    """Seconds, as time.monotonic gives them."""

    now: float = 1000.0

    def pass_by(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(adoption, "CLAIM", 0.0)
    monkeypatch.setattr("service.outbox.adoption.time.monotonic", lambda: clock.now)
    return clock


@dataclass
class Node:
    """A node that looks when it is asked to. `waits` is how long its oldest message waits."""

    box: Box
    name: str
    waits: float = 0.0
    adopted: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.adoption = Adoption(
            self.box,
            self.name,
            TAKE_OVER,
            3600.0,
            lambda id: id in self.adopted,
            lambda: self.waits,
            self.adopted.append,
        )

    async def look(self) -> list[str]:
        await self.adoption._sign()
        await self.adoption._look()
        return self.adopted


async def left(box: Box, node: str) -> str:
    """The id of a message that a node has written."""
    id = new_id(node, RECEIVER)
    await box.put(OUTBOX + id, written(CHANGE))
    return id


async def test_a_message_is_taken_after_a_minute_and_not_before(box: Box, clock: Clock) -> None:
    id, other = await left(box, "dead"), Node(box, "other")
    for _ in range(3):
        assert await other.look() == []
        clock.pass_by(TAKE_OVER / 3 - 0.1)
    assert await other.look() == []
    clock.pass_by(1.0)
    assert await other.look() == [id]


async def test_a_node_that_lives_keeps_its_messages_however_long_they_wait(box: Box, clock: Clock) -> None:
    await left(box, "alive")
    owner, other = Node(box, "alive", waits=1000.0), Node(box, "other")
    for _ in range(20):
        await owner.adoption._sign()
        assert await other.look() == []
        clock.pass_by(TAKE_OVER / 3)


async def test_of_several_nodes_one_takes_over(box: Box, clock: Clock) -> None:
    id, nodes = await left(box, "dead"), [Node(box, f"node{number}") for number in range(3)]
    for _ in range(12):
        for node in nodes:
            await node.look()
            node.waits = TAKE_OVER if node.adopted else 0.0
        clock.pass_by(TAKE_OVER / 3)
    assert list(itertools.chain(*(node.adopted for node in nodes))) == [id]


async def test_the_sign_goes_with_the_last_message(box: Box, clock: Clock) -> None:
    node = Node(box, "node", waits=TAKE_OVER)
    await node.look()
    assert await box.read(f"{ALIVE}node")
    node.waits = 0.0
    await node.look()
    with pytest.raises(NotFound):
        await box.read(f"{ALIVE}node")


async def test_what_an_earlier_run_has_left_is_taken_at_once(box: Box, clock: Clock) -> None:
    id = await left(box, "node")
    node = Node(box, "node")
    node.adoption._started += 1.0
    assert await node.look() == [id]


async def test_what_is_no_message_is_left_alone(box: Box, clock: Clock) -> None:
    await box.put(f"{OUTBOX}readme", b"mine")
    node = Node(box, "node")
    for _ in range(10):
        assert await node.look() == []
        clock.pass_by(TAKE_OVER)


class Taker:
    """A receiver that takes every message."""

    id, kind, title = RECEIVER, "events", "events.0"
    delay = 0.0

    def __init__(self) -> None:
        self.taken: list[Message] = []

    def wants(self, kind: str) -> bool:
        return kind == "deleted"

    async def send(self, message: Message) -> None:
        self.taken.append(message)


async def lying(box: Box, part: str) -> list[str]:
    return [one.name async for page in box.pages(part) for one in page]


def outbox_of(box: Box, taker: Taker, **options: float) -> Outbox:
    return Outbox(box, [taker], "node", **{"give_up": 3600.0, "take_over": 60.0, "keep_dead": 3600.0, **options})


async def test_the_message_lies_there_before_the_change_is_made(box: Box) -> None:
    taker = Taker()
    async with outbox_of(box, taker).telling(CHANGE):
        (name,) = await lying(box, OUTBOX)
    assert await box.read(name) == written(CHANGE)


async def test_a_change_that_was_not_made_is_not_told_and_one_that_may_have_been_is(box: Box) -> None:
    taker = Taker()
    told = outbox_of(box, taker)
    with pytest.raises(Exists):
        async with told.telling(CHANGE):
            raise Exists("not made")
    with pytest.raises(Unavailable):
        async with told.telling(Change("deleted", ("perhaps.png",))):
            raise Unavailable("perhaps made")
    async with told.telling(Change("purged", ("unwanted.png",))), told.running():
        while len(taker.taken) < 1 or await lying(box, OUTBOX):
            await asyncio.sleep(0.01)
    assert [message.change.names for message in taker.taken] == [("perhaps.png",)]


async def test_a_message_whose_receiver_is_configured_no_more_is_given_up_when_it_is_old(box: Box) -> None:
    id = new_id("node", "events-00000000")
    await box.put(OUTBOX + id, written(CHANGE))
    async with outbox_of(box, Taker(), give_up=0.0).running():
        while not await lying(box, DEAD):
            await asyncio.sleep(0.01)
    assert await lying(box, DEAD) == [DEAD + id]
    assert await lying(box, OUTBOX) == []


async def test_a_message_waits_as_long_as_its_sender_asks(box: Box) -> None:
    taker = Taker()
    taker.delay = 3600.0
    told = outbox_of(box, taker)
    async with told.running():
        async with told.telling(CHANGE):
            pass
        await asyncio.sleep(0.05)
        assert told.waiting == {"events": 1}
    assert taker.taken == []


async def test_a_client_that_leaves_while_its_message_is_written_leaves_nothing_under_way(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = outbox_of(box, Taker())

    async def change() -> None:
        async with told.telling(CHANGE):
            raise AssertionError("it has left before")

    async def never(*_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(box, "put", never)
    changing = asyncio.create_task(change())
    await asyncio.sleep(0.01)
    assert told.oldest > 0
    changing.cancel()
    assert isinstance((await asyncio.gather(changing, return_exceptions=True))[0], asyncio.CancelledError)
    assert told.oldest == 0
