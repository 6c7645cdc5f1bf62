"""A count of a tree in use is exact, wherever the walk is when files are published, removed and read."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from typing import Any

import pytest

from service.cache import janitor as janitor_module
from service.cache import walk
from service.cache.disk import DerivedTree
from service.cache.janitor import Janitor
from service.cache.recency import touch
from service.cache.usage import BLOCK, Budget, taken
from service.originals.local_copies import LocalCopies
from service.store.base import StoredObject
from tests.cache.trees import publish, tree_in

THREAD = "walk"
Changes = Iterator[Callable[[], object]]


@pytest.fixture
def keeper(tree: DerivedTree) -> Iterator[Janitor]:
    with ThreadPoolExecutor(1, thread_name_prefix=THREAD) as executor:
        yield Janitor(tree, Budget.of(10**9), executor)


def fill(tree: DerivedTree, count: int) -> list[str]:
    """That many images in ten folders, with two derived images each. `0-more` sorts before `0/`, and comes after it."""
    images = [f"{number % 5}{'-more' * (number % 2)}/{number:03}" for number in range(count)]
    for image in images:
        for width in (1, 2):
            publish(tree, image, width, size=5000)
    return images


def there(root: Path) -> tuple[int, int]:
    """Bytes and files, looked at by other means."""
    size = number = 0
    for folder, folders, files in os.walk(root):
        size += len(folders) * BLOCK + sum(taken(os.lstat(f"{folder}/{file}").st_size) for file in files)
        number += len(folders) + len(files)
    return size, number


def touch_all(files: list[Path]) -> None:
    for file in files:
        touch(file)


async def count(keeper: Janitor, monkeypatch: pytest.MonkeyPatch, during: Changes, between: Changes) -> None:
    """Count in small batches; whenever the walk opens a folder, and after each batch, something changes."""
    loop, scandir = asyncio.get_running_loop(), os.scandir

    async def change(changes: Changes) -> None:
        next(changes, lambda: None)()

    def held(path: str) -> Any:
        if threading.current_thread().name.startswith(THREAD):
            asyncio.run_coroutine_threadsafe(change(during), loop).result()
        return scandir(path)

    async def batches(items: Iterator[Any], executor: ThreadPoolExecutor) -> AsyncIterator[list[Any]]:
        async for batch in walk.batches(items, executor, rest=0.0):
            yield batch
            await change(between)

    with monkeypatch.context() as patch:
        patch.setattr(os, "scandir", held)
        patch.setattr(walk, "BATCH", 7)
        patch.setattr(janitor_module, "batches", batches)
        await keeper.count()


def at(turn: int, change: Callable[[], object]) -> Changes:
    """This change, when so many others could have been made."""
    for _ in range(turn):
        yield lambda: None
    yield change


TURNS = pytest.mark.parametrize("turn", [0, 5, 20, 50])


@TURNS
@pytest.mark.parametrize("when", ["during a batch", "between two batches"])
async def test_what_is_forgotten_before_the_walk_reaches_it_is_discounted_once(
    tree: DerivedTree, keeper: Janitor, monkeypatch: pytest.MonkeyPatch, turn: int, when: str
) -> None:
    images = fill(tree, 100)
    changes = at(turn, lambda: [tree.forget(image) for image in images[:50]])
    nothing: Changes = iter(())
    await count(keeper, monkeypatch, *((changes, nothing) if when == "during a batch" else (nothing, changes)))
    assert not (tree.root / images[0]).exists()
    await tree.settled()
    assert (tree.usage.bytes, tree.usage.files) == there(tree.root)


@TURNS
async def test_what_is_read_during_the_count_is_counted(
    tree: DerivedTree, keeper: Janitor, monkeypatch: pytest.MonkeyPatch, turn: int
) -> None:
    """Where a mount records no access times a touch does, and changes the time at which files seem to be made."""
    fill(tree, 100)
    files = [path for path in tree.root.rglob("*") if path.is_file()]
    await count(keeper, monkeypatch, at(turn, lambda: touch_all(files)), iter(()))
    assert (tree.usage.bytes, tree.usage.files) == there(tree.root)


@TURNS
async def test_a_purge_of_everything_leaves_nothing_to_be_found(
    tree: DerivedTree, keeper: Janitor, monkeypatch: pytest.MonkeyPatch, turn: int
) -> None:
    fill(tree, 100)

    def purge() -> None:
        tree.forget_all()
        fill(tree, 30)

    await count(keeper, monkeypatch, at(turn, purge), iter(()))
    assert (tree.usage.bytes, tree.usage.files) == there(tree.root)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("names", [3, 50_000])
async def test_whatever_happens_at_every_turn_the_count_is_what_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keeper: Janitor, tree: DerivedTree, seed: int, names: int
) -> None:
    monkeypatch.setattr(walk, "NAMES", names)  # of a folder that are sorted at once
    random, images = Random(seed), [*fill(tree, 60), *"56789", "a-b", "a/b", "x" * 300]
    wrong = random.randrange(10**6)
    tree.usage.bytes += wrong  # what was thought before has no part in it

    def some(share: float) -> list[Path]:
        return [path for path in tree.root.rglob("*") if path.is_file() and random.random() < share]

    def change() -> None:
        image = random.choice(images)
        kind = random.choice(["publish"] * 3 + ["forget", "evict", "read", "note", "all"])
        if kind == "publish":
            publish(tree, image, random.randrange(4), random.choice("ef"), size=random.choice([0, 100, 9000]))
        elif kind == "forget":
            tree.forget(image)
        elif kind == "evict":
            tree.evict(some(0.05))
        elif kind == "read":
            for path in some(0.1):
                touch(path)
        elif kind == "note" and tree.marker(image) and len(image) < 300:
            tree.note_smaller(image, "webp", "jpg")
        elif kind == "all" and random.random() < 0.1:
            tree.forget_all()

    def changes() -> Changes:
        while True:
            yield change

    await count(keeper, monkeypatch, changes(), changes())
    await tree.settled()
    assert (tree.usage.bytes, tree.usage.files) == there(tree.root)
    change()
    await tree.settled()
    assert (tree.usage.bytes, tree.usage.files) == there(tree.root)


@TURNS
async def test_a_count_is_repeated_where_folders_came_back_that_it_may_have_missed(
    tree: DerivedTree, keeper: Janitor, monkeypatch: pytest.MonkeyPatch, turn: int
) -> None:
    """The folder of an image goes as a whole, and those of images below it come back, when the walk may be past."""
    fill(tree, 100)
    for image in "01234":
        publish(tree, image)
    await count(keeper, monkeypatch, at(turn, lambda: [tree.forget(image) for image in "01234"]), iter(()))
    await tree.settled()
    assert (tree.usage.bytes, tree.usage.files) == there(tree.root)
    assert tree.marker("0/000")


@TURNS
async def test_originals_that_come_and_go_are_counted_exactly_too(
    keeper: Janitor, tree: DerivedTree, monkeypatch: pytest.MonkeyPatch, turn: int
) -> None:
    copies = LocalCopies(tree.root, tree.usage)

    def take_in(number: int, etag: str) -> Path:
        arriving = tree.root.parent / "work" / "arriving"
        arriving.write_bytes(bytes(5000))
        return copies.take_in(StoredObject(f"{number}.jpg", 5000, etag, 0.0), arriving, spare=False)

    before = [take_in(number, "before") for number in range(120)]

    def change() -> None:
        copies.evict(before[::2])
        for number in range(100, 140):
            take_in(number, "after")

    await count(keeper, monkeypatch, at(turn, change), iter(()))
    assert not before[0].exists()
    assert (tree.usage.bytes, tree.usage.files) == there(tree.root)


async def test_two_counts_at_once_are_both_right(tree: DerivedTree, keeper: Janitor) -> None:
    fill(tree, 100)
    again = tree_in(tree.root.parent)
    with ThreadPoolExecutor(2) as executor:
        await asyncio.gather(*(Janitor(again, Budget.of(10**9), executor).count() for _ in range(2)))
    assert again.usage == tree.usage


def test_a_walk_finds_everything_once_in_the_order_of_names(tree: DerivedTree, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tree, 40)
    for image in ("a-b", "a", "a/b", "é", "\U0001f600"):
        publish(tree, image)
    found = {names: walked(tree, monkeypatch, names) for names in (1, 2, 7, 50_000)}
    assert found[50_000] == sorted(tree.root.rglob("*"), key=lambda path: path.parts)
    assert all(paths == found[50_000] for paths in found.values())


def walked(tree: DerivedTree, monkeypatch: pytest.MonkeyPatch, names: int) -> list[Path]:
    """What a walk finds that sorts so many names at once."""
    monkeypatch.setattr(walk, "NAMES", names)
    return [Path(path) for path, _, _ in walk.files(str(tree.root))]
