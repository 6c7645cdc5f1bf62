"""LocalCopies of originals: one that is read stays, and one that went is fetched again."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from service.engine.job import Header, NotAnImage
from service.engine.recognise import recognise
from service.originals import header
from service.store.base import StoredObject
from tests import images
from tests.cache.nodes import Node, node
from tests.waiting import PATIENCE, eventually


class Reading:
    """The reading of headers, of which the first goes on when it may: `begun` says that it has come so far."""

    def __init__(self) -> None:
        self.begun, self.may_go_on = threading.Event(), threading.Event()

    def __call__(self, path: Path, **bounds: int) -> Header:
        if not self.begun.is_set():
            self.begun.set()
            assert self.may_go_on.wait(PATIENCE)
        return recognise(path, **bounds)


@pytest.fixture
def reading() -> Reading:
    return Reading()


@pytest.fixture
async def restarted(tmp_path: Path, reading: Reading, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Node]:
    """A node that has a copy of an original, has seen nothing of it, and reads its header as `reading` does."""
    async with node(tmp_path) as before:
        await before.upload("a.png", images.png())
        assert (await before.api("a.png/@w=4.png")).status == 200
    monkeypatch.setattr(header, "recognise", reading)
    async with node(tmp_path) as running:
        yield running


def copies(one: Node) -> list[Path]:
    return [path for path in one.context.originals.root.rglob("*") if path.is_file()]


async def test_a_copy_is_not_evicted_while_its_header_is_read(restarted: Node, reading: Reading) -> None:
    asking = asyncio.create_task(restarted.api("a.png/@w=5.png"))
    await eventually(reading.begun.is_set)
    assert restarted.context.originals.evict(copies(restarted)) == 0
    reading.may_go_on.set()
    assert (await asking).status == 200
    assert restarted.context.originals.evict(copies(restarted)) == 1


async def test_a_copy_that_somebody_deletes_meanwhile_is_fetched_again(restarted: Node, reading: Reading) -> None:
    asking = asyncio.create_task(restarted.api("a.png/@w=5.png"))
    await eventually(reading.begun.is_set)
    for copy in copies(restarted):
        copy.unlink()
    reading.may_go_on.set()
    assert (await asking).status == 200
    assert not restarted.context.tasks.disk.work.failures


async def test_an_original_that_is_replaced_while_its_header_is_read_is_not_answered(
    restarted: Node, reading: Reading
) -> None:
    asking = asyncio.create_task(restarted.api("a.png/@w=5.png"))
    await eventually(reading.begun.is_set)
    await restarted.upload("a.png", images.png(images.flat(8, 8, (1, 2, 3))))
    reading.may_go_on.set()
    assert (await asking).colour == (1, 2, 3)


async def test_an_original_of_which_nothing_is_here_is_fetched_without_asking_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with node(tmp_path) as one:
        (one.root / "var/store/new.png").write_bytes(images.png())
        asked = []
        stat = one.context.store.originals.stat

        async def watched(name: str) -> StoredObject:
            asked.append(name)
            return await stat(name)

        monkeypatch.setattr(one.context.store.originals, "stat", watched)
        assert (await one.api("new.png/@w=4.png")).status == 200
        assert (await one.api("none.png/@w=4.png")).status == 404
        assert not asked


async def test_a_copy_that_an_earlier_process_fetched_is_used_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with node(tmp_path) as before:
        await before.upload("a.png", images.png())
        assert (await before.api("a.png/@w=4.png")).status == 200
    async with node(tmp_path) as one:
        monkeypatch.setattr(one.context.store.originals, "fetch", None)
        assert (await one.api("a.png/@w=5.png")).status == 200


async def test_what_is_told_of_a_file_that_is_no_image_holds_no_earlier_request(tmp_path: Path) -> None:
    async with node(tmp_path) as one:
        (one.root / "var/store/bad.jpg").write_text("no image at all")
        told = []
        for _ in range(4):
            with pytest.raises(NotAnImage) as refused:
                await one.context.originals.get("bad.jpg")
            told.append(refused)
    assert len({id(refused.value) for refused in told}) == len(told)
    assert len({str(refused.value) for refused in told}) == 1
    assert len({len(refused.traceback) for refused in told[1:]}) == 1, "each error holds the frames of those before"
