"""The journal: what one node changes is seen by the others in seconds, whatever the listing of the originals says."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from gateway.journal import Entry, parse_entries
from service.journal import grouping
from service.store.base import NewObject, Page, StoredObject
from service.store.errors import Unavailable
from tests import images
from tests.cache.nodes import Answer, Node, node
from tests.conftest import swift_options
from tests.swift.server import SwiftServer
from tests.swift.stores import client
from tests.waiting import eventually

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]


def picture(number: int) -> bytes:
    return images.png(images.flat(8, 8, colour(number)))


def colour(number: int) -> tuple[int, int, int]:
    return (number, 255 - number, 7)


@pytest.fixture(scope="module")
def options(swift: SwiftServer) -> dict[str, Any]:
    """Nodes that would ask the store again once an hour, and read the journal often."""
    return {**swift_options(swift), "cache": {"revalidate": "1h", "journal": "100ms"}, "engine": {"processes": 1}}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def two(options: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Node, Node]]:
    folder = tmp_path_factory.mktemp("two")
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(node(folder / "one", options))
        second = await stack.enter_async_context(node(folder / "two", options))
        for one in (first, second):
            await eventually(partial(has_read, one))
        yield first, second


def has_read(one: Node) -> bool:
    return one.context.tasks.journal.stats.read_at is not None


def has_colour(number: int, answer: Answer) -> bool:
    return answer.status == 200 and answer.colour == colour(number)


def entries(swift: SwiftServer, options: dict[str, Any]) -> list[Entry]:
    container = options["store"]["swift"]["container"]
    _, rows = client(swift.url).get_container(f"{container}-journal", full_listing=True)
    return [entry for row in rows for entry in parse_entries(row["name"])]


async def shows(one: Node, name: str, wanted: Callable[[Answer], bool]) -> None:
    for _ in range(600):
        if wanted(await one.api(name)):
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"{name} is never shown as it is now")


async def test_a_replacement_and_a_deletion_are_followed_at_once(two: tuple[Node, Node]) -> None:
    first, second = two
    for number in (1, 2, 1):
        await first.upload("a.png", picture(number))
        await shows(second, "a.png/@w=4.png", partial(has_colour, number))
    validators = [(await one.api("a.png/@w=4.png")).headers["ETag"] for one in two]
    assert validators[0] == validators[1]
    assert (await first.delete("a.png")).status == 204
    await shows(second, "a.png/@w=4.png", lambda answer: answer.status == 404)


async def test_a_creation_is_followed_where_another_program_had_deleted_what_was_there(
    two: tuple[Node, Node], swift: SwiftServer, options: dict[str, Any]
) -> None:
    first, second = two
    await first.upload("created.png", picture(5))
    for one in two:
        await shows(one, "created.png/@w=4.png", partial(has_colour, 5))
    with closing(client(swift.url)) as other:
        other.delete_object(options["store"]["swift"]["container"], "created.png")
    assert has_colour(5, await second.api("created.png/@w=4.png"))  # which nothing has told
    assert (await first.create("created.png", picture(6))).status == 201
    await shows(second, "created.png/@w=4.png", partial(has_colour, 6))


async def test_an_entry_of_what_a_node_has_already_makes_it_forget_nothing(two: tuple[Node, Node]) -> None:
    first, second = two
    await first.upload("b.png", picture(3))
    await shows(second, "b.png/@w=4.png", lambda answer: answer.status == 200)
    stored = await first.context.store.originals.stat("b.png")
    made = second.made
    async with first.context.tasks.journal.change("put", "b.png") as change:
        change.stored = stored
    await first.upload("c.png", picture(3))
    read = second.context.tasks.journal.stats
    before = read.read_at or 0.0
    await eventually(lambda: (read.read_at or 0.0) > before + 0.5)
    assert (await second.api("b.png/@w=4.png")).headers["X-Cache"].startswith("HIT")
    await second.api("c.png/@w=4.png")  # whose entry was read, so that it is not forgotten while it is made
    assert second.made == made + 1


async def test_purges_are_followed(two: tuple[Node, Node]) -> None:
    first, second = two
    every = ("p/a.png", "p/b.png", "q.png")
    for image in every:
        await first.upload(image, picture(4))
    purges: tuple[tuple[dict[str, Any], tuple[str, ...]], ...] = (
        ({"names": ["p/a.png"]}, every[:1]),
        ({"prefix": "p/"}, every[:2]),
        ({"all": True}, every),
    )
    for body, gone in purges:
        for image in every:
            await shows(second, f"{image}/@w=4.png", lambda answer: answer.status == 200)
        await eventually(lambda: all(map(second.context.derivatives.noted, every)))
        async with first.client.post(f"http://{first.config.api.listen}/purge", json=body) as answer:
            assert answer.status == 200, await answer.text()
        await eventually(lambda gone=gone: not any(map(second.context.derivatives.noted, gone)))  # type: ignore[misc]


async def test_images_that_share_an_object_of_the_journal_are_followed(
    two: tuple[Node, Node], swift: SwiftServer, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = two
    images = [f"shared/ä {'x' * 200} {number}.png" for number in range(4)]  # three fill an object's name
    for image in images:
        await first.upload(image, picture(5))
        await shows(second, f"{image}/@w=4.png", partial(has_colour, 5))
    journal, writer, goes_on = first.context.store.journal, first.context.tasks.journal.writer, asyncio.Event()
    assert journal is not None and writer is not None
    put = journal.put
    begun = list[str]()

    async def put_when_it_goes_on(new: NewObject) -> StoredObject:
        begun.append(new.name)
        await goes_on.wait()
        return await put(new)

    with monkeypatch.context() as patch:
        patch.setattr(grouping, "LONGEST_WAIT", 3600.0)
        patch.setattr(journal, "put", put_when_it_goes_on)
        uploads = [asyncio.create_task(first.upload(images[0], picture(6)))]
        await eventually(lambda: begun)
        uploads += [asyncio.create_task(first.upload(image, picture(6))) for image in images[1:]]
        await eventually(lambda: len(writer._grouping._gathered) == 3)
        goes_on.set()
        assert {answer.status for answer in await asyncio.gather(*uploads)} == {201}
    assert {entry.name for entry in parse_entries(begun[-1])} == set(images[1:])
    for image in images:
        await shows(second, f"{image}/@w=4.png", partial(has_colour, 6))
        written = [entry for entry in entries(swift, options) if entry.name == image]
        assert written[-1].etag == (await first.context.store.originals.stat(image)).etag


async def test_an_upload_is_on_its_way_from_its_check_on(
    two: tuple[Node, Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, _ = two
    writer, verify, coming = first.context.tasks.journal.writer, first.context.uploads._verify, list[int]()
    assert writer is not None

    async def verify_and_note(*given: Any) -> Any:
        coming.append(writer._grouping._coming)
        return await verify(*given)

    monkeypatch.setattr(first.context.uploads, "_verify", verify_and_note)
    await first.upload("coming.png", picture(9))
    assert (coming, writer._grouping._coming) == ([1], 0)


async def test_an_upload_stands_although_its_entry_cannot_be_written_which_comes_later(
    two: tuple[Node, Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = two
    await first.upload("d.png", picture(5))
    await shows(second, "d.png/@w=4.png", lambda answer: answer.status == 200)
    journal = first.context.store.journal
    assert journal

    async def fail(*_: object) -> None:
        raise Unavailable("no journal")

    with monkeypatch.context() as patch:
        patch.setattr(journal, "put", fail)
        assert (await first.upload("d.png", picture(6))).status in (200, 201)
        assert first.context.tasks.journal.waiting
    await shows(second, "d.png/@w=4.png", lambda answer: answer.colour == colour(6))
    await eventually(lambda: not first.context.tasks.journal.waiting)


async def test_a_journal_that_cannot_be_read_fails_no_request_and_is_counted(
    two: tuple[Node, Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = two

    async def fail(**_: object) -> Page:
        raise Unavailable("no journal")

    assert second.context.store.journal
    with monkeypatch.context() as patch:
        patch.setattr(second.context.store.journal._inner, "list", fail)  # type: ignore[attr-defined]
        await eventually(lambda: second.context.tasks.journal.stats.failures)
        assert second.context.store.trouble is None  # type: ignore[attr-defined]  # the node is ready all the same
        await first.upload("e.png", picture(7))
        assert (await second.api("e.png/@w=4.png")).status == 200
        await first.upload("e.png", picture(8))
    await shows(second, "e.png/@w=4.png", lambda answer: answer.colour == colour(8))


async def test_a_start_writes_entries_for_what_was_noted_before_a_kill(
    swift: SwiftServer, options: dict[str, Any], tmp_path: Path
) -> None:
    notes = tmp_path / "var/run/journal"
    notes.mkdir(parents=True)
    (notes / "0123.json").write_text(json.dumps({"note": "0123", "kind": "put", "name": "killed/between.png"}))
    async with node(tmp_path, options):
        await eventually(lambda: any(one.name == "killed/between.png" for one in entries(swift, options)))
        await eventually(lambda: not (notes / "0123.json").exists())


async def test_after_an_entry_the_newest_version_is_asked_for(
    two: tuple[Node, Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = two
    asked: list[bool] = []
    stat = second.context.store.originals.stat

    async def heard(name: str, *, newest: bool = False) -> Any:
        asked.append(newest)
        return await stat(name, newest=newest)

    monkeypatch.setattr(second.context.store.originals, "stat", heard)
    await first.upload("f.png", picture(1))
    await shows(second, "f.png/@w=4.png", lambda answer: answer.status == 200)
    await first.upload("f.png", picture(2))
    await shows(second, "f.png/@w=5.png", lambda answer: answer.colour == colour(2))
    await second.context.originals.stat("f.png", fresh=True)
    assert asked[-1]
