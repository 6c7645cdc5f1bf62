"""A folder that cannot be read does not stop the rest of the tree from being counted, evicted and compared."""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from service.cache.disk import DerivedTree
from service.cache.generation import Generation
from service.cache.images import cached_images, hashed_images
from service.cache.janitor import Janitor
from service.cache.usage import Budget
from service.cache.walk import files
from tests.cache.trees import publish, tree_in


@pytest.fixture
def executor() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as made:
        yield made


@pytest.fixture(params=[errno.EACCES, errno.EIO])
def tree(
    tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> DerivedTree:
    """One of 100 images, and three folders that cannot be read, as tests may run as root, who can read all."""
    tree = tree_in(tmp_path)
    for number in range(100):
        publish(tree, f"{number:03}.jpg", size=20_000)
    for folder in ("000", "050.jpg", "lost+found"):
        (tree.root / folder).mkdir(exist_ok=True)
        unreadable(tree.root / folder, request.param, monkeypatch)
    caplog.set_level(logging.WARNING)
    return tree


def unreadable(folder: Path, error: int, monkeypatch: pytest.MonkeyPatch) -> None:
    scandir = os.scandir

    def refused(path: Any) -> Any:
        if Path(path) == folder:
            raise OSError(error, os.strerror(error), str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refused)


def left(tree: DerivedTree) -> list[int]:
    """The images that there still is something of."""
    return [number for number in range(100) if (tree.root / f"{number:03}.jpg/@w=1.jpg").exists()]


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    return sorted(Path(record.getMessage().split()[0]).name for record in caplog.records)


async def test_what_is_beside_it_is_counted_and_evicted(
    tree: DerivedTree, executor: ThreadPoolExecutor, caplog: pytest.LogCaptureFixture
) -> None:
    janitor = Janitor(tree, Budget(10**12, 200), executor)
    await janitor.count()
    assert tree.usage.files == 100 + 2 + 2 * 99
    await janitor.tidy()
    assert tree.usage.files <= 170
    assert 50 in left(tree)
    assert len(left(tree)) < 90
    assert told(caplog) == ["000", "050.jpg", "lost+found"]


async def test_it_is_told_once(
    tree: DerivedTree, executor: ThreadPoolExecutor, caplog: pytest.LogCaptureFixture
) -> None:
    janitor = Janitor(tree, Budget(10**12, 200), executor)
    for _ in range(3):
        await janitor.count()
        await janitor.tidy()
        list(cached_images(tree.root))
    assert told(caplog) == ["000", "050.jpg", "lost+found"]


def test_the_images_beside_it_are_compared_with_the_store(tree: DerivedTree) -> None:
    assert [image.name for image in cached_images(tree.root)] == [f"{number:03}.jpg" for number in range(100)]
    assert list(cached_images(tree.root, "000/")) == []


def test_hashed_names_that_cannot_be_read_are_passed_over(tree: DerivedTree, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(tree, "x" * 300)
    unreadable(tree.root / "@", errno.EACCES, monkeypatch)
    assert list(hashed_images(tree.root)) == []


def test_a_crash_of_the_machine_is_cleaned_up_beside_it(tree: DerivedTree) -> None:
    root = tree.root.parent
    Generation(root, "software", boot="first").begin()
    Generation(root, "software", boot="second").distrust(tree.root)
    assert left(tree) == [50]


def test_a_file_that_cannot_be_looked_at_does_not_hide_its_neighbours(
    tree: DerivedTree, monkeypatch: pytest.MonkeyPatch
) -> None:
    lstat, broken = os.lstat, tree.root / "020.jpg" / "@base"

    def refused(path: Any) -> os.stat_result:
        if Path(path) == broken:
            raise OSError(errno.EUCLEAN, os.strerror(errno.EUCLEAN), str(path))
        return lstat(path)

    monkeypatch.setattr(os, "lstat", refused)
    found = {path for path, _, is_folder in files(str(tree.root)) if not is_folder}
    assert len(found) == 2 * 99 - 1
    assert str(broken) not in found


async def test_a_tree_that_cannot_be_read_itself_is_not_taken_for_an_empty_one(
    tree: DerivedTree, executor: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = tree.usage.files
    unreadable(tree.root, errno.EIO, monkeypatch)
    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        await Janitor(tree, Budget.of(10**9), executor).count()
    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        list(cached_images(tree.root))
    assert tree.usage.files == before


@pytest.mark.parametrize("walk", [lambda root: files(str(root)), cached_images], ids=["files", "images"])
def test_what_only_the_moment_forbids_ends_the_walk(
    walk: Callable[[Path], Iterator[object]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = tree_in(tmp_path)
    for name in ("a.jpg", "b/c.jpg", "d.jpg"):
        publish(tree, name)
    unreadable(tree.root / "b", errno.EMFILE, monkeypatch)
    with pytest.raises(OSError, match="Too many open files"):
        list(walk(tree.root))
