"""Memory: what is hot without nginx in front, bounded, and never longer than the disk has it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.cache.memory import LARGEST, OVERHEAD, Memory
from tests import images
from tests.cache.nodes import Node, node


@pytest.fixture
async def one(tmp_path: Path) -> AsyncIterator[Node]:
    async with node(tmp_path) as running:
        await running.upload("a.png", images.png(images.flat(8, 8, (1, 2, 3))))
        yield running


async def test_what_was_answered_once_is_answered_from_memory_and_alike(one: Node) -> None:
    answers = [await one.api("a.png/@w=4.png") for _ in range(4)]
    assert [answer.headers["X-Cache"] for answer in answers] == ["MISS", "HIT-MEMORY", "HIT-MEMORY", "HIT-MEMORY"]
    for header in ("ETag", "Last-Modified", "Content-Length", "Content-Type", "Cache-Control"):
        assert len({answer.headers[header] for answer in answers}) == 1
    assert len({answer.body for answer in answers}) == 1
    part = await one.api("a.png/@w=4.png", Range="bytes=2-5")
    assert (part.status, part.body) == (206, answers[0].body[2:6])


async def test_browsers_are_answered_from_the_disk_and_clients_of_the_api_from_memory(tmp_path: Path) -> None:
    async with node(tmp_path, nginx=True) as whole:
        await whole.upload("a.png", images.png(images.flat(8, 8, (1, 2, 3))))
        missed = await whole.public("a.png/@w=4.png")
        held = len(whole.context.tasks.disk.memory)
        browsers = [await whole.public("a.png/@w=4.png") for _ in range(3)]
        assert [answer.status for answer in (missed, *browsers)] == [200] * 4
        assert [answer.headers["X-Cache"] for answer in browsers] == ["HIT-DISK"] * 3
        assert len(whole.context.tasks.disk.memory) == held, "a hit of nginx takes no memory of the service"
        clients = [await whole.api("a.png/@w=4.png") for _ in range(3)]
        assert [answer.headers["X-Cache"] for answer in clients[1:]] == ["HIT-MEMORY"] * 2


async def test_small_originals_are_remembered_until_they_are_replaced(one: Node) -> None:
    first = [await one.api("a.png?original=true") for _ in range(3)]
    assert [answer.headers["X-Cache"] for answer in first] == ["HIT-DISK", "HIT-MEMORY", "HIT-MEMORY"]
    assert {answer.body for answer in first} == {images.png(images.flat(8, 8, (1, 2, 3)))}
    replacement = images.png(images.flat(8, 8, (3, 2, 1)))
    await one.upload("a.png", replacement)
    assert (await one.api("a.png?original=true")).body == replacement


async def test_memory_has_nothing_that_the_disk_has_not(one: Node) -> None:
    await one.api("a.png/@w=4.png")
    (one.derived / "a.png/@w=4.png").unlink()
    assert (await one.api("a.png/@w=4.png")).headers["X-Cache"] == "MISS"
    await one.upload("a.png", images.png(images.flat(8, 8, (3, 2, 1))))
    assert (await one.api("a.png/@w=4.png")).colour == (3, 2, 1)
    one.context.derivatives.forget("a.png")
    assert len(one.context.tasks.disk.memory) == 0


async def test_a_purge_of_everything_empties_it(one: Node) -> None:
    for width in range(1, 6):
        await one.api(f"a.png/@w={width}.png")
    memory = one.context.tasks.disk.memory
    assert len(memory) == 5
    await one.context.derivatives.forget_all()
    assert (len(memory), memory.bytes) == (0, 0)
    assert (await one.api("a.png/@w=4.png")).headers["X-Cache"] == "MISS"


def test_what_was_not_asked_for_the_longest_goes_first() -> None:
    memory = Memory(3 * (100 + OVERHEAD + 2))
    for leaf in "abc":
        memory.put(("i", leaf), "e", bytes(100))
    assert memory.get(("i", "a"), "e")
    memory.put(("i", "d"), "e", bytes(100))
    assert [memory.get(("i", leaf), "e") is not None for leaf in "abcd"] == [True, False, True, True]


def test_another_validator_is_another_image() -> None:
    memory = Memory(10**6)
    memory.put(("i", "a"), "old", b"old")
    assert memory.get(("i", "a"), "new") is None


def test_large_images_are_left_to_the_disk() -> None:
    memory = Memory(10**9)
    memory.put(("i", "a"), "e", bytes(LARGEST + 1))
    assert (len(memory), memory.bytes) == (0, 0)


key = st.tuples(st.sampled_from("ab"), st.sampled_from("xyz"))
step = st.one_of(st.tuples(st.just("put"), key, st.integers(0, 3000)), st.tuples(st.just("forget"), key, st.just(0)))


@given(st.lists(step, max_size=40))
def test_bytes_are_bounded_and_what_is_forgotten_is_gone(steps: list[tuple[str, tuple[str, str], int]]) -> None:
    memory = Memory(5000)
    for what, where, size in steps:
        if what == "put":
            memory.put(where, "e", bytes(size))
        else:
            memory.forget(where[0])
            assert all(memory.get((where[0], leaf), "e") is None for leaf in "xyz")
        assert 0 <= memory.bytes <= 5000
        assert (memory.bytes == 0) == (len(memory) == 0)
