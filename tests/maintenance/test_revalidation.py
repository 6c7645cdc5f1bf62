"""Freshness across nodes: what another node changed is noticed within the interval, and nothing else is touched."""

from __future__ import annotations

import asyncio
import functools
import os
import threading
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from service.api.resources.stats import stats_of
from service.cache import graves
from service.derivatives.transcoded import LEAST
from service.maintenance.revalidation import Sweep
from service.store.base import Page, StoredObject, Usage
from service.store.errors import NotFound, Unavailable
from tests import images
from tests.cache.nodes import Node, node
from tests.cache.trees import name, publish
from tests.waiting import PATIENCE, eventually

pytestmark = pytest.mark.slow

INTERVAL = 0.4  # seconds
LONG = "x" * 300


def picture(number: int) -> bytes:
    return images.png(images.flat(8, 8, (number, 255 - number, 7)))


@pytest.fixture
async def three(tmp_path: Path) -> AsyncIterator[list[Node]]:
    """Three nodes on one store."""
    options = {
        "store": {"directory": {"root": str(tmp_path / "store"), "derived": str(tmp_path / "derived")}},
        "cache": {"revalidate": f"{int(INTERVAL * 1000)}ms"},
        "engine": {"processes": 1},
    }
    async with AsyncExitStack() as stack:
        contexts = [node(tmp_path / f"node{number}", options) for number in range(3)]
        yield list(await asyncio.gather(*map(stack.enter_async_context, contexts)))


class Sweeps:
    """When the last sweep of a node that has ended began, monotonic."""

    def __init__(self, one: Node, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ended = 0.0
        self._sweep = one.context.tasks.revalidation.sweep
        monkeypatch.setattr(one.context.tasks.revalidation, "sweep", self._watched)

    async def _watched(self) -> Sweep:
        began = time.monotonic()
        sweep = await self._sweep()
        self.ended = began
        return sweep


async def test_an_old_image_is_served_until_the_end_of_the_next_sweep(
    three: list[Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, *others = three
    swept = [Sweeps(other, monkeypatch) for other in others]
    await first.upload("a.png", picture(0))
    for number in range(1, 8):
        before = [(await other.api("a.png/@w=4.png")).colour for other in others]
        assert set(before) == {picture_colour(number - 1)}
        await first.upload("a.png", picture(number))
        replaced = time.monotonic()
        assert (await first.api("a.png/@w=4.png")).colour == picture_colour(number)
        for other, sweeps in zip(others, swept, strict=True):
            ended = sweeps.ended
            while (await other.api("a.png/@w=4.png")).colour != picture_colour(number):
                assert ended < replaced, "a sweep has not noticed it"
                assert time.monotonic() - replaced < PATIENCE, "there is no sweep"
                await asyncio.sleep(0.01)
                ended = sweeps.ended


def picture_colour(number: int) -> tuple[int, ...]:
    return (number, 255 - number, 7)


async def test_a_deleted_image_goes_from_every_node(three: list[Node]) -> None:
    first, *others = three
    await first.upload("a.png", picture(1))
    await first.upload("a.png.more/b.png", picture(2))
    for other in others:
        await other.api("a.png/@w=4.png")
        await other.api("a.png.more/b.png/@w=4.png")
    assert (await first.delete("a.png")).status == 204
    for other in others:
        await eventually(functools.partial(is_gone, other.derived / "a.png"))
        assert (await other.api("a.png/@w=4.png")).status == 404
        assert (await other.api("a.png.more/b.png/@w=4.png")).headers["X-Cache"].startswith("HIT")


async def test_a_link_with_a_version_is_never_stale(three: list[Node]) -> None:
    first, second, _ = three
    await first.upload("a.png", picture(0))
    for number in range(1, 3):
        await second.api("a.png/@w=4.png")
        etag = (await first.upload("a.png", picture(number))).headers["ETag"].strip('"')
        await asyncio.sleep(1.05)  # a node asks the store about a version once a second at most
        assert (await second.api(f"a.png/@w=4.png?v={etag}")).colour == picture_colour(number)


def is_gone(folder: Path) -> bool:
    return not folder.exists()


@pytest.fixture
async def one(tmp_path: Path) -> AsyncIterator[Node]:
    async with node(tmp_path, {"cache": {"revalidate": "1h"}}) as running:
        yield running


async def test_a_sweep_counts_the_bytes_of_jpegs_and_stats_tell_what_jpeg_xl_would_save(one: Node) -> None:
    photo = images.jpeg()
    for image in ("a.jpg", "b/c.jpg"):
        await one.upload(image, photo)
    await one.upload("d.png", picture(1))
    tasks = one.context.tasks
    tasks.revalidation.last = await tasks.revalidation.sweep()
    found = stats_of(tasks)
    assert found.jpeg_bytes == 2 * len(photo)
    assert (found.jpeg_xl_saves, found.jpeg_xl_measured) == (round(0.36 * len(photo)), 0)


async def test_where_originals_are_not_listed_the_walk_tells_how_much_of_them_is_jpeg(one: Node) -> None:
    tasks = one.context.tasks
    tasks.revalidation.last, tasks.revalidation.questions.originals = None, Usage(3_000_000, 30)
    assert stats_of(tasks).jpeg_bytes == 0
    tasks.leftovers.progress.jpeg_part = 2 / 3
    assert stats_of(tasks).jpeg_bytes == 2_000_000


async def test_what_this_node_has_brought_over_to_jpeg_xl_tells_what_it_would_save(one: Node) -> None:
    """Each loses what that of its own lost, since they are all alike."""
    photo = images.jpeg(images.photo(64, 48), comment=b"-" * 3000)
    for number in range(LEAST):
        await one.upload(f"{number}.jpg", photo)
        made = await one.api(f"{number}.jpg/@full.jxl")
    await one.api("0.jpg/@w=20.jxl")  # which is no such image
    await one.api("0.jpg/@full.png")
    tasks = one.context.tasks
    tasks.revalidation.last = await tasks.revalidation.sweep()
    found = stats_of(tasks)
    assert found.jpeg_xl_measured == LEAST
    assert found.jpeg_xl_saves == LEAST * (len(photo) - len(made.body))


async def test_a_sweep_forgets_what_changed_and_what_is_gone_and_asks_for_nothing_else(one: Node) -> None:
    several = [f"{folder}{number}.png" for folder in ("", "b/", "b.d/", "b/c/") for number in range(25)]
    for image in several:
        await one.upload(image, picture(1))
        await one.api(f"{image}/@w=4.png")
    sweep = await one.context.tasks.revalidation.sweep()
    assert (sweep.listed, sweep.cached, sweep.suspected) == (100, 100, 0)
    store = one.root / "var/store"
    for image in several[3::10]:
        (store / image).write_bytes(picture(9))
    for image in several[4::10]:
        (store / image).unlink()
    sweep = await one.context.tasks.revalidation.sweep()
    assert (sweep.listed, sweep.cached, sweep.suspected) == (90, 100, 20)
    for index, image in enumerate(several):
        assert (one.derived / image / "@w=4.png").exists() == (index % 10 not in (3, 4)), image
        answer = await one.api(f"{image}/@w=4.png")
        if index % 10 == 4:
            assert answer.status == 404
        else:
            assert answer.colour == picture_colour(9 if index % 10 == 3 else 1)


async def test_images_whose_names_the_disk_cannot_hold_are_compared_too(one: Node) -> None:
    """No directory store can hold such a name; a listing that tells of it is enough."""
    tree, container = one.context.tasks.disk.tree, one.context.store.originals
    listed = [StoredObject(f"{LONG}/{word}", 1, word, 1000.0) for word in ("same", "changed")]

    async def stat(name: str, **_: object) -> StoredObject:
        found = next((one for one in listed if one.name == name), None)
        if found is None:
            raise NotFound(name)
        return found

    async def list_them(**_: object) -> Page:
        return Page(listed, [], None)

    container.stat, container.list = stat, list_them  # type: ignore[method-assign]
    for image, etag in (("same", "same"), ("changed", "before"), ("gone", "gone")):
        publish(tree, f"{LONG}/{image}", etag=etag)
    sweep = await one.context.tasks.revalidation.sweep()
    assert (sweep.cached, sweep.suspected) == (0, 1)
    assert [tree.find(name(f"{LONG}/{image}")) is not None for image in ("same", "changed", "gone")] == [
        True,
        False,
        False,
    ]


async def test_an_image_whose_folder_was_away_during_a_sweep_is_compared_at_once(
    one: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`photos` is forgotten, and `photos/x.jpg`, which another node has changed, comes back behind the sweep."""
    tree, container = one.context.tasks.disk.tree, one.context.store.originals
    stored = {image: StoredObject(image, 1, "new", 1000.0) for image in ("photos", "photos/x.jpg")}
    survey, passed, begun = graves._survey, threading.Event(), list[float]()
    await eventually(lambda: one.context.tasks.revalidation.last)  # the sweep of the start is over

    def late(*arguments: Any) -> Any:
        assert passed.wait(60)
        return survey(*arguments)

    async def list_them(marker: str = "", **_: object) -> Page:
        if marker:
            passed.set()
            return Page([], [], None)
        begun.append(time.monotonic())
        if len(begun) == 1:
            tree.forget("photos")
        return Page(list(stored.values()), [], "photos/x.jpg")

    async def stat(name: str, **_: object) -> StoredObject:
        return stored[name]

    monkeypatch.setattr(graves, "_survey", late)
    container.stat, container.list = stat, list_them  # type: ignore[method-assign]
    for image in stored:
        publish(tree, image, etag="old")
    sweeping = asyncio.create_task(one.context.tasks.revalidation.run())  # at intervals of an hour
    await eventually(lambda: len(begun) == 2)
    await eventually(lambda: not (one.derived / "photos/x.jpg").exists())
    sweeping.cancel()
    await asyncio.gather(sweeping, return_exceptions=True)


async def test_files_that_tell_of_no_original_go(one: Node) -> None:
    await one.upload("a.png", picture(1))
    await one.api("a.png/@w=4.png")
    (one.derived / "a.png/@base").unlink()
    sweep = await one.context.tasks.revalidation.sweep()
    assert sweep.suspected == 1
    assert not (one.derived / "a.png").exists()


async def test_folders_that_can_be_no_image_end_no_sweep(one: Node) -> None:
    await one.upload("a.png", picture(1))
    await one.api("a.png/@w=4.png")
    foreign = [os.fsdecode(os.fsencode(one.derived) + leaf) for leaf in (b"/\xff", b"/a.png/\xff", b"/b\n", b"/@c")]
    for folder in foreign:
        Path(folder).mkdir()
        Path(folder, "@x.jpg").touch()
    (one.root / "var/store/a.png").write_bytes(picture(2))
    sweep = await one.context.tasks.revalidation.sweep()
    assert (sweep.cached, sweep.suspected) == (1, 1)
    assert (await one.api("a.png/@w=4.png")).colour == picture_colour(2)
    async with one.client.post(f"http://{one.config.api.listen}/purge", json={"prefix": "a"}) as answer:
        assert (answer.status, (await answer.json())["images"]) == (200, 1)
    assert all(Path(folder, "@x.jpg").exists() for folder in foreign)


async def test_a_listing_that_lags_behind_takes_nothing_away(one: Node) -> None:
    await one.upload("a.png", picture(1))
    await one.api("a.png/@w=4.png")
    container = one.context.store.originals
    listed = await container.list()
    await one.upload("a.png", picture(2))
    await one.upload("b.png", picture(2))
    for image in ("a.png", "b.png"):
        await one.api(f"{image}/@w=4.png")

    async def stale(**_: object) -> Page:
        return listed

    container.list = stale  # type: ignore[method-assign]
    sweep = await one.context.tasks.revalidation.sweep()
    assert sweep.suspected == 2
    assert all((one.derived / image / "@w=4.png").exists() for image in ("a.png", "b.png"))


async def test_a_store_that_cannot_be_listed_costs_nothing_but_freshness(one: Node) -> None:
    await one.upload("a.png", picture(1))
    await one.api("a.png/@w=4.png")
    container = one.context.store.originals

    async def fail(**_: object) -> Page:
        raise Unavailable("gone")

    container.list = fail  # type: ignore[method-assign]
    with pytest.raises(Unavailable):
        await one.context.tasks.revalidation.sweep()
    assert (one.derived / "a.png/@w=4.png").exists()
