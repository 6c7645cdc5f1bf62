"""A takedown tells what it has removed where, and each node tells whether it has followed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from gateway.journal import parse_entries
from service.cache.disk import DerivedTree
from service.cli.commands import run
from service.observability import logs
from service.store.base import Page
from service.store.errors import Forbidden, Unavailable
from tests import images
from tests.cache.nodes import Node, node
from tests.conftest import swift_options
from tests.swift.server import SwiftServer
from tests.waiting import PATIENCE, eventually

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]
PICTURE = images.png(images.flat(8, 8, (9, 99, 9)))
LEAVES = ("@w=3.png", "@w=4.png")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def two(swift: SwiftServer, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Node, Node]]:
    cache = {"revalidate": "1h", "journal": "100ms", "persist": "always"}
    options = {**swift_options(swift), "cache": cache, "engine": {"processes": 1}}
    folder = tmp_path_factory.mktemp("two")
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(node(folder / "one", options))
        yield first, await stack.enter_async_context(node(folder / "two", options))


async def shown(nodes: Sequence[Node], name: str) -> None:
    """Have an image stored, and shown by every node."""
    await nodes[0].upload(name, PICTURE)
    for one in nodes:
        for leaf in LEAVES:
            async with asyncio.timeout(PATIENCE):  # the other node may still know that there was none
                while (await one.api(f"{name}/{leaf}")).status != 200:
                    await asyncio.sleep(0.05)
        await one.context.derivatives.close()  # what is on its way to the store is there


async def take_down(one: Node, name: str) -> dict[str, Any]:
    async with one.client.delete(f"http://{one.config.api.listen}/images/{name}?receipt=true") as answer:
        assert answer.status == 200, await answer.text()
        found: dict[str, Any] = await answer.json()
        return found


async def settled(one: Node, entry: str) -> bool | None:
    async with one.client.get(f"http://{one.config.api.listen}/journal", params={"entry": entry}) as answer:
        assert answer.status == 200, await answer.text()
        found: bool | None = (await answer.json())["settled"]
        return found


async def is_settled(one: Node, entry: str) -> None:
    """Return when the node has settled the entry."""
    async with asyncio.timeout(PATIENCE):
        while not await settled(one, entry):
            await asyncio.sleep(0.02)


def files_of(one: Node, name: str) -> int:
    """The derived images of a node on disk with what it notes beside them, and its copies of originals."""
    derived = sum(path.is_file() for path in (one.derived / name).glob("*"))
    return derived + sum(path.is_file() for path in (one.root / "var/cache/originals").rglob("*"))


async def test_a_receipt_says_what_was_removed_where_and_names_the_entry(two: tuple[Node, Node]) -> None:
    await shown(two, "kept.png")
    others = files_of(two[0], "none")
    await shown(two, "gone/a b.png")
    files = files_of(two[0], "gone/a b.png") - others
    objects = len((await two[0].context.store.derived.list(prefix="gone/a b.png/@")).objects)
    receipt = await take_down(two[0], "gone/a b.png")
    (entry,) = parse_entries(receipt["entry"])
    assert (entry.kind, entry.name) == ("delete", "gone/a b.png")
    assert receipt == {
        "name": "gone/a b.png",
        "original": True,
        "files": files,
        "objects": objects,
        "entry": receipt["entry"],
    }
    assert files >= 4  # two images, the marker, the original
    assert objects >= len(LEAVES)
    assert files_of(two[0], "gone/a b.png") == others
    await is_settled(two[1], receipt["entry"])
    assert two[1].context.derivatives.noted("gone/a b.png") is None
    assert (await two[1].api("gone/a b.png/@w=3.png")).status == 404


async def test_a_takedown_of_what_is_gone_removes_what_is_left(two: tuple[Node, Node]) -> None:
    await shown(two, "half.png")
    await two[0].context.store.originals.delete("half.png")
    receipt = await take_down(two[0], "half.png")
    assert not receipt["original"]
    assert receipt["objects"] >= len(LEAVES)
    assert not (await two[0].context.store.derived.list(prefix="half.png/")).objects
    again = await take_down(two[0], "half.png")
    assert (again["original"], again["files"], again["objects"]) == (False, 0, 0)


async def test_of_two_takedowns_of_one_image_at_once_both_are_told_that_it_is_gone(
    two: tuple[Node, Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    await shown(two, "both.png")
    container = two[0].context.store.originals
    delete = container.delete

    async def too_late(name: str, *more: Any) -> None:
        await delete(name)  # by the other node
        await delete(name, *more)

    with monkeypatch.context() as patch:
        patch.setattr(container, "delete", too_late)
        receipt = await take_down(two[0], "both.png")
    assert receipt["entry"]
    assert not (await two[0].context.store.derived.list(prefix="both.png/")).objects
    await is_settled(two[1], receipt["entry"])
    assert two[1].context.derivatives.noted("both.png") is None


async def test_other_nodes_follow_also_where_the_derived_container_is_forbidden(
    two: tuple[Node, Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    await shown(two, "forbidden.png")

    async def refuse(*_: object, **__: object) -> Page:
        raise Forbidden("not yours any more")

    with monkeypatch.context() as patch:
        patch.setattr(two[0].context.store.derived, "list", refuse)
        address = f"http://{two[0].config.api.listen}/images/forbidden.png?receipt=true"
        async with two[0].client.delete(address) as answer:
            assert answer.status == 503
        await eventually(lambda: two[1].context.derivatives.noted("forbidden.png") is None)
    assert (await two[1].api("forbidden.png/@w=3.png")).status == 404


async def test_a_takedown_that_the_store_breaks_off_may_be_repeated(
    two: tuple[Node, Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    await shown(two, "broken.png")

    async def fail(*_: object) -> int:
        raise Unavailable("gone")

    with monkeypatch.context() as patch:
        patch.setattr(two[0].context.store.derived, "delete_all", fail)
        async with two[0].client.delete(f"http://{two[0].config.api.listen}/images/broken.png?receipt=true") as answer:
            assert answer.status == 503
        assert "broken.png" in two[0].context.derivatives.takedowns
    receipt = await take_down(two[0], "broken.png")
    assert not receipt["original"]
    assert not (await two[0].context.store.derived.list(prefix="broken.png/")).objects


async def test_an_entry_that_the_disk_does_not_let_be_settled_is_not_until_it_does(
    two: tuple[Node, Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    await shown(two, "stuck.png")
    failed = asyncio.Event()

    async def removed(self: DerivedTree, removals: Any, *, counted: bool = False) -> int:
        if self is two[1].context.tasks.disk.tree:
            failed.set()
            raise OSError("read-only")
        return await remove(self, removals, counted=counted)

    remove = DerivedTree.removed
    with monkeypatch.context() as patch:
        patch.setattr(DerivedTree, "removed", removed)
        entry = (await take_down(two[0], "stuck.png"))["entry"]
        async with asyncio.timeout(PATIENCE):
            await failed.wait()
        assert await settled(two[1], entry) is False
    await is_settled(two[1], entry)


async def test_the_command_waits_for_every_node(
    two: tuple[Node, Node], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(logs, "configure", lambda _: None)  # the log is pytest's here
    await shown(two, "command.png")
    urls = [f"http://{one.config.api.listen}" for one in two]
    command = ["takedown", "command.png", "--api", urls[0], "--wait", "--node"]
    assert await asyncio.to_thread(run, [*command, urls[1]]) == 0
    assert "command.png: the original, " in capsys.readouterr().out
    assert two[1].context.derivatives.noted("command.png") is None
    assert await asyncio.to_thread(run, command[:-1]) == 2

    await shown(two, "command.png")
    nowhere = "http://127.0.0.1:9"
    assert await asyncio.to_thread(run, [*command, nowhere]) == 1
    told = capsys.readouterr().err
    assert f"{nowhere} cannot tell whether it has an image removed: no answer at" in told
    assert "nothing was removed" in told
    assert (await two[0].api("command.png/@w=3.png")).status == 200

    async def removed(self: DerivedTree, removals: Any, *, counted: bool = False) -> int:
        raise OSError("read-only")

    with monkeypatch.context() as patch:
        patch.setattr(two[1].context.tasks.disk.tree, "removed", removed.__get__(two[1].context.tasks.disk.tree))
        assert await asyncio.to_thread(run, [*command, urls[1], "--timeout", "1s"]) == 1
    assert f"command.png: {urls[1]} does not have it after 1 s" in capsys.readouterr().err


async def test_a_name_that_is_no_entry_is_refused(two: tuple[Node, Node]) -> None:
    async with two[0].client.get(f"http://{two[0].config.api.listen}/journal?entry=x") as answer:
        assert answer.status == 400
        assert "must be the name of an entry" in await answer.text()
