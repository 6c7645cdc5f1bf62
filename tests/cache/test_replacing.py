"""Replacing, deleting and purging: what was answered for says what is there, at once and for ever, on both ports."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from service.store.base import Precondition
from tests import images
from tests.cache.nodes import Node, all_is_cleared, node
from tests.counts import examples
from tests.waiting import PATIENCE

READS = examples(1000)
REPLACEMENTS = 20  # at least


@pytest.fixture
async def one(tmp_path: Path) -> AsyncIterator[Node]:
    async with node(tmp_path, {"engine": {"processes": 2}}, nginx=True) as running:
        yield running


def picture(generation: int) -> bytes:
    """An image that tells its generation by its colour."""
    return images.png(images.flat(8, 8, (generation % 256, generation // 256, 77)))


def generation_of(colour: tuple[int, ...]) -> int:
    red, green, blue = colour
    assert blue == 77
    return red + 256 * green


async def test_no_read_that_begins_after_a_replacement_was_answered_sees_an_older_image(one: Node) -> None:
    """Hits, misses and negotiated names on both ports, while the image is replaced without a pause."""
    settled, reads = 0, itertools.count()
    assert (await one.upload("x.png", picture(0))).status == 201
    recipes = ["/@full.png", "/@w=4.png", "?w=3", "", "/@full.bmp", "/@w=5,lossless=1.webp", "/@w=6,lossless=1.auto"]

    async def replace() -> None:
        nonlocal settled
        for generation in itertools.count(1):
            assert (await one.upload("x.png", picture(generation))).status == 201
            settled = generation

    async def read(number: int) -> None:
        ask = one.public if number % 2 else one.api
        for turn in reads:
            if turn >= READS and settled > REPLACEMENTS:
                return
            began = settled
            answer = await ask(f"x.png{recipes[turn % len(recipes)]}", Accept="image/webp")
            assert answer.status == 200, answer.body
            assert generation_of(answer.colour) >= began

    replacing = asyncio.create_task(replace())
    await asyncio.gather(*(read(number) for number in range(8)))
    replacing.cancel()
    await asyncio.gather(replacing, return_exceptions=True)


STAGES: dict[str, Callable[[Node], tuple[Any, str]]] = {
    "the store tells of the original": lambda one: (one.context.store.originals, "stat"),
    "the original arrives": lambda one: (one.context.store.originals, "fetch"),
    "the header is read": lambda one: (one.context.originals, "_header"),
    "the derived container is asked": lambda one: (one.context.store.derived, "stat"),
    "the engine has made it": lambda one: (one.context.engine, "run"),
}


def leave_old_copy(one: Node, image: str) -> None:
    """What a process before this one had fetched, of an original that was replaced since."""
    key = hashlib.sha256(image.encode()).hexdigest()[:32]
    copy = one.context.originals.root / key[:2] / key / ("0" * 32)
    copy.parent.mkdir(parents=True, exist_ok=True)
    copy.touch()


class Held:
    """Lets the first call of a method finish its work, and holds back what comes of it until it is let go."""

    def __init__(self, owner: Any, method: str) -> None:
        self.reached, self.go_on = asyncio.Event(), asyncio.Event()
        self._owner, self._method, self._work = owner, method, getattr(owner, method)
        setattr(owner, method, self._call)

    def release(self) -> None:
        setattr(self._owner, self._method, self._work)

    async def _call(self, *arguments: Any, **more: Any) -> Any:
        try:
            return await self._work(*arguments, **more)
        finally:
            if not self.reached.is_set():
                self.reached.set()
                await self.go_on.wait()


async def test_an_upload_that_is_cancelled_twice_is_held_until_the_store_has_answered(one: Node) -> None:
    uploads = one.context.uploads
    held = Held(one.context.store.originals, "put")

    async def upload() -> None:
        with uploads.receive() as incoming:
            incoming.write(picture(3))
            await uploads.store("a.png", incoming, Precondition(replace=False))

    uploading = asyncio.create_task(upload())
    async with asyncio.timeout(PATIENCE):
        await held.reached.wait()
    for _ in range(3):
        uploading.cancel()
        await asyncio.sleep(0.02)
    assert not uploading.done()
    assert len(list(one.context.tasks.disk.work.folder.iterdir())) == 2  # the image, and its metadata
    held.go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await uploading
    held.release()
    await all_is_cleared(one)
    assert generation_of((await one.api("a.png/@w=4.png")).colour) == 3


@pytest.mark.parametrize("change", ["replace", "delete", "purge"])
async def test_a_flight_that_was_under_way_brings_nothing_old_back(one: Node, change: str) -> None:
    """It is overtaken by a change at each of its stages; those who joined it later get what is there now."""
    for number, stage in enumerate(STAGES):
        image = f"{number}.png"
        (one.root / "var/store" / image).write_bytes(picture(1))  # unknown to this process
        if STAGES[stage](one)[1] == "stat":  # which is asked only where there was a copy
            leave_old_copy(one, image)
        held = Held(*STAGES[stage](one))
        early = asyncio.create_task(one.public(f"{image}/@w=4.png"))
        async with asyncio.timeout(PATIENCE):
            await held.reached.wait()
        if change == "replace":
            assert (await one.upload(image, picture(2))).status == 201
        elif change == "delete":
            assert (await one.delete(image)).status == 204
        else:
            await one.context.derivatives.forget_everywhere(image)
        late = [asyncio.create_task(ask(f"{image}/@w=4.png")) for ask in (one.public, one.api)]
        await asyncio.sleep(0.05)
        held.go_on.set()
        answers = [await early, *[await task for task in late], await one.public(f"{image}/@w=4.png")]
        held.release()
        if change == "delete":
            assert [answer.status for answer in answers[1:]] == [404, 404, 404], stage
            assert not (one.derived / image).exists()
            continue
        assert [answer.status for answer in answers] == [200] * 4, stage
        wanted = 2 if change == "replace" else 1
        assert [generation_of(answer.colour) for answer in answers[1:]] == [wanted] * 3, stage
