"""What a change leaves in the derived container, because it was interrupted, is removed later: nothing old stays."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from service.derivatives import takedown
from service.maintenance.leftovers import Leftovers
from service.store.base import NewObject, StoredObject
from service.store.errors import Unavailable
from tests import images
from tests.cache.nodes import Node, node
from tests.maintenance.walks import walk_of
from tests.waiting import PATIENCE

OPTIONS = {"cache": {"persist": "always"}}
LEAVES = ["@meta.json", "@w=3.png", "@w=4.png"]


def picture(number: int) -> bytes:
    return images.png(images.flat(8, 8, (number, 255 - number, 7)))


@pytest.fixture
async def one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Node]:
    """A node that has kept two derived images of a.png, and their metadata."""
    monkeypatch.setattr(takedown, "PAUSE", 0.05)
    async with node(tmp_path, OPTIONS) as running:
        await running.upload("a.png", picture(1))
        for leaf in LEAVES[1:]:
            assert (await running.api(f"a.png/{leaf}")).status == 200
        await running.context.derivatives.close()
        assert await kept(running) == [f"a.png/{leaf}" for leaf in LEAVES]
        yield running


async def kept(one: Node) -> list[str]:
    return [found.name for found in (await one.context.store.derived.list()).objects]


async def until_settled(one: Node) -> None:
    """Wait until nothing is left to be taken down."""
    async with asyncio.timeout(PATIENCE):
        while len(one.context.derivatives.takedowns):
            await asyncio.sleep(0.01)


def leftovers_of(one: Node) -> Leftovers:
    """A walk that does not rest, of which nothing is saved yet."""
    return walk_of(one.context.store, one.context.derivatives.takedowns, one.root / "walk.json")


@pytest.mark.parametrize("change", ["replace", "delete"])
async def test_what_a_store_that_fails_keeps_is_removed_when_it_answers_again(
    one: Node, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    async def fail(*_: object, **__: object) -> int:
        raise Unavailable("gone")

    with monkeypatch.context() as patch:
        patch.setattr(one.context.store.derived, "delete_all", fail)
        if change == "replace":
            assert (await one.upload("a.png", picture(2))).status == 201
        else:
            assert (await one.delete("a.png")).status == 204
        assert "a.png" in one.context.derivatives.takedowns
    await until_settled(one)
    await one.context.derivatives.close()
    assert await kept(one) == ["a.png/@meta.json"][: change == "replace"]  # those of the new picture
    async with one.client.get(f"http://{one.config.api.listen}/metrics") as answer:
        assert "image_gateway_takedowns_waiting 0.0" in await answer.text()


async def test_what_is_stored_while_its_former_version_is_looked_at_is_not_removed(
    one: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store answers the look with what was there before; the removal comes when the new image has been stored."""
    (one.root / "var/store/a.png").write_bytes(picture(2))
    await one.context.derivatives.forget_all()
    container, looked, stored = one.context.store.derived, asyncio.Event(), asyncio.Event()
    stat = container.stat

    async def late(name: str) -> StoredObject:
        found = await stat(name)
        if name.endswith("@w=3.png") and not looked.is_set():
            looked.set()
            with contextlib.suppress(TimeoutError):  # it waits for the removal, then
                await asyncio.wait_for(stored.wait(), 1)
        return found

    with monkeypatch.context() as patch:
        patch.setattr(container, "stat", late)
        one.context.derivatives.takedowns.add("a.png")
        await looked.wait()
        assert (await one.api("a.png/@w=3.png")).status == 200
        await one.context.derivatives.close()
        stored.set()
        await until_settled(one)
    assert (await container.stat("a.png/@w=3.png")).metadata["original-etag"] == (
        await one.context.store.originals.stat("a.png")
    ).etag


async def test_what_this_node_kept_of_an_image_that_another_node_replaced_is_removed(one: Node) -> None:
    (one.root / "var/store/a.png").write_bytes(picture(2))
    await one.context.tasks.revalidation.sweep()
    await until_settled(one)
    assert await kept(one) == []


async def test_what_was_made_of_the_current_original_is_not_removed(one: Node) -> None:
    one.context.derivatives.takedowns.add("a.png")
    await until_settled(one)
    assert await kept(one) == [f"a.png/{leaf}" for leaf in LEAVES]


async def test_a_change_that_succeeds_leaves_nothing_to_be_done(one: Node) -> None:
    assert (await one.upload("a.png", picture(2))).status == 201
    assert len(one.context.derivatives.takedowns) == 0


async def test_the_walk_finds_what_a_process_left_that_was_killed(one: Node) -> None:
    """Its disk is gone, too: only the listings tell."""
    await one.upload("a.png.b/c.png", picture(5))
    await one.api("a.png.b/c.png/@w=4.png")
    await one.context.derivatives.close()
    (one.root / "var/store/a.png").unlink()
    await one.context.derivatives.forget_all()
    assert await leftovers_of(one).walk() == 3
    assert await kept(one) == ["a.png.b/c.png/@meta.json", "a.png.b/c.png/@w=4.png"]
    assert await leftovers_of(one).walk() == 0


async def test_the_walk_finds_what_is_older_than_its_original(one: Node) -> None:
    (one.root / "var/store/a.png").write_bytes(picture(2))
    for leaf in LEAVES:
        os.utime(one.root / "var/derived/a.png" / leaf, (1, 1))
    await one.context.derivatives.forget_all()
    assert await leftovers_of(one).walk() == 3
    assert await kept(one) == []


async def test_an_object_of_somebody_else_is_left_alone(one: Node, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"x")
    await one.context.store.derived.put(
        NewObject("other/file", tmp_path / "x", "text/plain", "9dd4e461268c8034f5c8564e155c67a6")
    )
    assert await leftovers_of(one).walk() == 0
