"""Budgets: eviction keeps a tree below its watermark, and removes files that are not read and are cheap to make."""

from __future__ import annotations

import asyncio
import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest

from gateway.names import Name
from service.cache import janitor as janitor_module
from service.cache.disk import DerivedTree
from service.cache.janitor import Janitor
from service.cache.recency import SECOND, is_referenced, records_access_times, spend_round, touch
from service.cache.usage import HIGH, LOW, Budget
from tests.cache.trees import marker, paths, publish, read, tree_in

pytestmark = pytest.mark.slow


def fill(tree: DerivedTree, count: int, format: str = "jpg") -> list[Path]:
    """That many images with one derived image each, too large to be kept for being small."""
    return [publish(tree, f"{format}/{number:03}", size=20_000, format=format).path for number in range(count)]


def janitor_of(tree: DerivedTree, executor: ThreadPoolExecutor, *, images: float) -> Janitor:
    """One whose budget has room for that many of such images: five blocks, a folder and a marker each."""
    return Janitor(tree, Budget(int(images * 7 * 4096), 10**6), executor)


async def test_a_tree_that_was_there_is_counted(tree: DerivedTree, executor: ThreadPoolExecutor) -> None:
    fill(tree, 30)
    again = tree_in(tree.root.parent)
    janitor = janitor_of(again, executor, images=100)
    await janitor.count()
    assert again.usage == tree.usage
    await janitor.count()
    assert again.usage == tree.usage


async def test_what_comes_and_goes_while_it_is_counted_is_counted_once(
    tree: DerivedTree, executor: ThreadPoolExecutor
) -> None:
    fill(tree, 1000)
    again = tree_in(tree.root.parent)
    begun = asyncio.Event()
    janitor = Janitor(again, Budget(10**12, 10**6), executor, lambda _: begun.set())
    counting = asyncio.create_task(janitor.count())
    await begun.wait()
    assert not counting.done()
    for number in range(50):
        publish(again, f"during/{number}")
        await asyncio.sleep(0)
    await counting
    assert again.usage.files == sum(1 for _ in again.root.rglob("*"))


async def test_nothing_is_evicted_below_the_high_watermark(tree: DerivedTree, executor: ThreadPoolExecutor) -> None:
    janitor = janitor_of(tree, executor, images=100)
    fill(tree, 94)
    await janitor.count()
    assert await janitor.tidy() == 0


@pytest.mark.parametrize("limit", ["bytes", "files"])
async def test_above_the_high_watermark_the_tree_shrinks_to_the_low_one(
    tree: DerivedTree, executor: ThreadPoolExecutor, limit: str
) -> None:
    fill(tree, 200)
    size = getattr(tree.usage, limit)
    budget = Budget(size, 10**9) if limit == "bytes" else Budget(10**12, size)
    janitor = Janitor(tree, budget, executor)
    await janitor.count()
    evicted = await janitor.tidy()
    assert LOW * 0.9 < getattr(tree.usage, limit) / size <= LOW < HIGH
    assert 20 < evicted < 60
    assert len(paths(tree)) == 2 * (200 - evicted)


async def test_a_folder_of_many_files_holds_nobody_up(tree: DerivedTree, executor: ThreadPoolExecutor) -> None:
    folder = publish(tree, "a").path.parent
    for number in range(5000):
        (folder / f"@w={number},up=1.jpg").touch()
        os.utime(folder / f"@w={number},up=1.jpg", (0, 1000))
    janitor = Janitor(tree, Budget(10**12, 5000), executor)
    await janitor.count()
    tidying = asyncio.create_task(janitor.tidy())
    longest = 0.0
    while not tidying.done():
        began = time.thread_time()  # a busy machine lets it wait for longer, and that is nobody's fault
        await asyncio.sleep(0.001)
        longest = max(longest, time.thread_time() - began)
    assert await tidying > 500
    assert longest < 0.5


async def test_what_was_read_stays_and_what_was_not_goes(tree: DerivedTree, executor: ThreadPoolExecutor) -> None:
    assert records_access_times(tree.root)
    files = fill(tree, 100)
    for file in files[::2]:
        read(file)
    janitor = janitor_of(tree, executor, images=60)
    await janitor.count()
    await janitor.tidy()
    assert all(file.exists() for file in files[::2])
    assert sum(file.exists() for file in files[1::2]) <= 2


async def test_a_read_counts_for_one_round_only(tree: DerivedTree, executor: ThreadPoolExecutor) -> None:
    files = fill(tree, 100)
    for file in files:
        read(file)
    await asyncio.sleep(0.02)
    janitor = janitor_of(tree, executor, images=100)
    await janitor.count()
    await janitor.tidy()
    assert 80 <= sum(file.exists() for file in files) <= 86
    for file in files[50:]:
        if file.exists():
            read(file)
    janitor = janitor_of(tree, executor, images=60)
    await janitor.count()
    await janitor.tidy()
    kept = [sum(file.exists() for file in half) for half in (files[:50], files[50:])]
    assert kept[1] > kept[0]


async def test_what_costs_more_to_make_stays_longer(tree: DerivedTree, executor: ThreadPoolExecutor) -> None:
    files = {format: fill(tree, 40, format) for format in ("avif", "jpg", "png", "webp")}
    janitor = janitor_of(tree, executor, images=85)
    await janitor.count()
    await janitor.tidy()
    left = {format: sum(file.exists() for file in some) for format, some in files.items()}
    assert left["avif"] == 40
    assert left["jpg"] + left["png"] <= left["webp"]


async def test_tiles_go_before_other_small_images(tree: DerivedTree, executor: ThreadPoolExecutor) -> None:
    """A tile is the part of an image between four numbers of pixels; a part in percent is somebody's thumbnail."""
    recipes = {"tile": {"crop": "0:0:512:512", "w": "256"}, "percent": {"crop": "0p:0p:50p:50p"}, "small": {"w": "20"}}
    files: dict[str, list[Path]] = {kind: [] for kind in recipes}
    finished = tree.root.parent / "work" / "finished"
    for number in range(40):
        for kind, recipe in recipes.items():
            finished.write_bytes(bytes(4000))
            made = tree.publish(finished, Name(f"{kind}/{number:03}", recipe, "jpg"), 1000, marker())
            files[kind].append(made.path)
    janitor = Janitor(tree, Budget(85 * 3 * 4096, 10**6), executor)
    await janitor.count()
    await janitor.tidy()
    left = {kind: sum(file.exists() for file in some) for kind, some in files.items()}
    assert left["tile"] == 0
    assert left["percent"] > 0
    assert left["small"] > 0


async def test_a_full_disk_takes_a_tenth_although_the_budget_is_not_spent(
    tree: DerivedTree, executor: ThreadPoolExecutor
) -> None:
    fill(tree, 100)
    janitor = janitor_of(tree, executor, images=1000)
    await janitor.count()
    assert await janitor.tidy() == 0
    janitor.make_room()
    assert 10 <= await janitor.tidy() <= 30
    assert await janitor.tidy() == 0


async def test_room_that_somebody_else_made_is_room_enough(tree: DerivedTree, executor: ThreadPoolExecutor) -> None:
    fill(tree, 100)
    janitor = janitor_of(tree, executor, images=1000)
    await janitor.count()
    janitor.make_room()
    removals = [removal for number in range(50) for removal in tree.forget(f"jpg/{number:03}")]
    await tree.removed(removals, counted=True)
    assert await janitor.tidy() == 0
    fill(tree, 100)
    assert await janitor.tidy() == 0


async def test_a_disk_that_is_full_before_the_count_ends_takes_a_tenth_too(
    tree: DerivedTree, executor: ThreadPoolExecutor
) -> None:
    fill(tree, 100)
    again = tree_in(tree.root.parent)
    janitor = janitor_of(again, executor, images=1000)
    janitor.make_room()
    assert await janitor.tidy() == 0
    await janitor.count()
    assert 10 <= await janitor.tidy() <= 30
    assert await janitor.tidy() == 0


async def test_where_nothing_can_be_evicted_it_is_tried_ever_more_rarely(
    tree: DerivedTree, executor: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A file system that became read-only: the hand would go round and round."""
    pauses = list[float]()

    async def slept(seconds: float) -> None:
        if seconds < janitor_module.LOOK:
            return
        pauses.append(seconds)
        if len(pauses) == 9:
            monkeypatch.undo()
        elif len(pauses) == 11:
            raise asyncio.CancelledError

    fill(tree, 20)
    monkeypatch.setattr(tree, "evict", lambda _: 0)
    with pytest.MonkeyPatch.context() as patch, pytest.raises(asyncio.CancelledError):
        patch.setattr(janitor_module, "asyncio", SimpleNamespace(sleep=slept))
        await janitor_of(tree, executor, images=10).run()
    assert pauses == [2, 4, 8, 16, 32, 60, 60, 60, 60, 1, 1]
    assert len(paths(tree)) < 20
    assert [record.levelname for record in caplog.records if "nothing can be evicted" in record.message] == ["WARNING"]


async def test_a_count_that_others_made_wrong_is_made_right(tree: DerivedTree, executor: ThreadPoolExecutor) -> None:
    """Somebody deletes files by hand; the janitor finds nothing to evict, and counts anew."""
    for file in fill(tree, 100):
        file.unlink()
    janitor = janitor_of(tree, executor, images=50)
    janitor.learned = True
    await janitor.tidy()
    assert tree.usage.files == sum(1 for _ in tree.root.rglob("*")) == 0


def test_the_hand_never_changes_the_time_that_validators_are_made_of(tree: DerivedTree) -> None:
    file = publish(tree, "a", format="avif", size=100_000).path
    modified = file.stat().st_mtime_ns
    passes = []
    for _ in range(3):
        passes.append(spend_round(str(file)))
        assert file.stat().st_mtime_ns == modified
    assert passes == [True, True, False]
    read(file)
    assert is_referenced(file.stat())
    assert spend_round(str(file))
    assert not is_referenced(file.stat())


def test_where_no_access_times_are_kept_a_touch_does_the_same(tree: DerivedTree) -> None:
    file = publish(tree, "a", size=100_000).path
    assert not spend_round(str(file))
    touch(file)
    assert spend_round(str(file))
    assert not spend_round(str(file))
    os.utime(file, ns=(3 * SECOND, 1))
