"""The derived tree: what lies together was made of one original, and nothing is ever there by half."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.names import Name, disk_path
from service.cache.disk import DerivedTree
from service.cache.images import cached_images, hashed_images
from service.cache.marker import fingerprint
from tests.cache.trees import marker, name, paths, publish, tree_in

LONG = "x" * 300


async def test_a_file_of_another_original_drives_out_all_of_the_former(tree: DerivedTree) -> None:
    publish(tree, "a", 1, "old")
    publish(tree, "a", 2, "old")
    publish(tree, "a/b", 1, "old")
    publish(tree, "a", 3, "new")
    await tree.settled()
    assert paths(tree) == {"a/@base", "a/@w=3.jpg", "a/b/@base", "a/b/@w=1.jpg"}
    assert tree.marker("a") == marker("new")


def test_a_hashed_leaf_of_another_original_goes_too(tree: DerivedTree) -> None:
    long = Name("a", {"crop": "1" * 300}, "jpg")
    finished = tree.root.parent / "work/finished"
    finished.write_bytes(b"old")
    tree.publish(finished, long, 1, marker("old"))
    assert tree.find(long)
    publish(tree, "a", 1, "new")
    assert tree.find(long) is None


def test_files_whose_marker_is_gone_are_not_taken_for_those_of_the_current_original(tree: DerivedTree) -> None:
    publish(tree, "a", 1, "old")
    (tree.root / "a/@base").unlink()
    publish(tree, "a", 2, "new")
    assert paths(tree) == {"a/@base", "a/@w=2.jpg"}


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EROFS, errno.EIO])
@pytest.mark.parametrize("step", ["chmod", "mkdir", "fchmod", "replace"])
def test_a_disk_that_fails_at_any_step_of_publishing_leaves_no_half_and_nothing_old(
    tree: DerivedTree, monkeypatch: pytest.MonkeyPatch, step: str, error: int
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(error, os.strerror(error))

    publish(tree, "a", 1, "old")
    publish(tree, "b", 1, "same")
    with monkeypatch.context() as patch, pytest.raises(OSError, match=os.strerror(error)):
        patch.setattr(Path if step == "mkdir" else os, step, fail)
        publish(tree, "new/a" if step == "mkdir" else "a", 2, "new")
    assert tree.find(name("a", 2)) is None
    assert tree.marker("a") in (None, marker("old"))
    if tree.marker("a") is None:
        assert tree.find(name("a", 1)) is None
    assert publish(tree, "a", 2, "new").path.exists()
    assert tree.find(name("a", 1)) is None
    assert tree.find(name("b", 1))


def test_an_open_file_keeps_its_bytes_and_one_that_was_replaced_is_not_opened(tree: DerivedTree) -> None:
    first = publish(tree, "a", 1, "old", size=100)
    with first.open() as body:
        publish(tree, "a", 1, "new", size=101)
        assert len(body.read()) == 100
    with pytest.raises(FileNotFoundError):
        first.open()


async def test_usage_is_what_the_disk_holds(tree: DerivedTree) -> None:
    for image in ("a", "a/b", LONG, "c/d/e"):
        for width in range(1, 4):
            publish(tree, image, width, size=5000)
    publish(tree, "a", 2, size=10)
    publish(tree, "a", 9, "other")
    tree.forget("c/d/e")
    tree.evict([tree.root / "a/b/@w=1.jpg"])
    await tree.settled()
    found = list(tree.root.rglob("*"))
    assert tree.usage.files == len(found)
    assert tree.usage.bytes == sum(-(-(path.stat().st_size if path.is_file() else 1) // 4096) * 4096 for path in found)
    for image in ("a", "a/b", LONG):
        tree.forget(image)
    await tree.settled()
    assert (tree.usage.bytes, tree.usage.files) == (0, 0)


def test_evicting_the_last_file_takes_the_marker_and_the_folders(tree: DerivedTree) -> None:
    for file in [publish(tree, "c/d/e", 1).path, publish(tree, LONG, 1).path]:
        tree.evict([file])
    assert list(tree.root.iterdir()) == []


def test_evicting_a_few_of_many_files_looks_at_few(tree: DerivedTree, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of 20,000 files would hold up the service for seconds if all were looked at for each that goes."""
    files = [publish(tree, "a", width).path for width in range(1, 401)]
    looked = 0

    class Watched:
        def __init__(self, folder: Path) -> None:
            self._entries = scandir(folder)

        def __enter__(self) -> Iterator[os.DirEntry[str]]:
            return self._entries_seen()

        def __exit__(self, *_: object) -> None:
            self._entries.close()

        def _entries_seen(self) -> Iterator[os.DirEntry[str]]:
            nonlocal looked
            for entry in self._entries:
                looked += 1
                yield entry

    scandir = os.scandir
    monkeypatch.setattr(os, "scandir", Watched)
    assert tree.evict(files[:16]) == 16
    assert looked <= 2


@pytest.mark.parametrize("leaf", ["@base", "@x.jpg"])
def test_what_others_put_into_the_tree_can_be_evicted(tree: DerivedTree, leaf: str) -> None:
    folder = Path(os.fsdecode(os.fsencode(tree.root) + b"/\xff"))
    folder.mkdir()
    (folder / leaf).write_bytes(b"")
    tree.evict([folder / leaf])
    assert list(tree.root.iterdir()) == []


def test_a_marker_stays_while_a_hashed_leaf_depends_on_it(tree: DerivedTree) -> None:
    long = Name("a", {"crop": "1" * 300}, "jpg")
    finished = tree.root.parent / "work/finished"
    finished.write_bytes(b"x")
    tree.publish(finished, long, 1, marker())
    plain = publish(tree, "a", 1)
    tree.evict([plain.path])
    assert tree.marker("a")
    tree.evict([tree.root / disk_path(long)])
    tree.evict([tree.root / "a/@base"])  # as the janitor asks when it finds nothing but a marker
    assert list(tree.root.iterdir()) == []


segment = st.text("aé.-/~z", min_size=1, max_size=3)
image_name = st.lists(segment, min_size=1, max_size=4).map(
    lambda parts: "/".join(part.replace("/", "") + "y" for part in parts)
)


@given(images=st.sets(image_name, max_size=30), widths=st.integers(1, 2))
def test_cached_images_come_in_the_order_of_a_listing_each_once(
    tmp_path_factory: pytest.TempPathFactory, images: set[str], widths: int
) -> None:
    tree = tree_in(tmp_path_factory.mktemp("tree"))
    for image in images:
        for width in range(widths):
            publish(tree, image, width + 1, etag=image)
    publish(tree, LONG, 1, "long")
    asyncio.run(tree.settled())
    found = [(cached.name, cached.fingerprint) for cached in cached_images(tree.root)]
    wanted = sorted(images, key=str.encode)
    assert found == [(image, fingerprint(image, 1000)) for image in wanted]
    assert [cached.fingerprint for cached in hashed_images(tree.root)] == [fingerprint("long", 1000)]


def test_an_image_without_a_marker_is_known_to_be_unknown(tree: DerivedTree) -> None:
    publish(tree, "a/b", 1)
    (tree.root / "a/b/@base").unlink()
    assert [(cached.name, cached.fingerprint) for cached in cached_images(tree.root)] == [("a/b", None)]


def test_forgetting_everything_is_one_step(tree: DerivedTree) -> None:
    publish(tree, "a", 1)
    grave = tree.forget_all()
    assert list(tree.root.iterdir()) == []
    assert (grave / "a/@w=1.jpg").exists()
    assert publish(tree, "a", 1).path.exists()
