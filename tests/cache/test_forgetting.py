"""Forgetting an image is one rename, however much there is of it: nothing else waits, nothing of others is lost."""

from __future__ import annotations

import asyncio
import errno
import os
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.paths import MARKER
from service.cache import folders, graves
from service.cache.disk import DerivedTree
from service.cache.work import MEMORY, Work
from tests import images
from tests.cache.nodes import all_is_cleared, node
from tests.cache.trees import name, paths, publish, tree_in

MANY = 3000


class Watch:
    """What is done to files by the thread that this was made in."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls: list[str] = []
        self._thread = threading.get_ident()
        for function in ("unlink", "rename", "replace", "scandir", "listdir"):
            monkeypatch.setattr(os, function, self._watched(function))

    def _watched(self, function: str) -> object:
        call = getattr(os, function)

        def watched(*arguments: object, **more: object) -> object:
            if threading.get_ident() == self._thread:
                self.calls.append(function)
            return call(*arguments, **more)

        return watched


def fill(folder: Path, count: int = MANY) -> None:
    """Give an image many more derived images, as they lie on disk."""
    for number in range(count):
        (folder / f"@w={number},up=1.jpg").touch()


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[DerivedTree]:
    """A tree whose work folder is on another file system, so that no folder of it can be renamed out of it."""
    for folder in ("derived", "work"):  # the latter is where the tests make what they publish
        (tmp_path / folder).mkdir()
    with tempfile.TemporaryDirectory(dir=MEMORY) as work:
        assert Path(work).stat().st_dev != tmp_path.stat().st_dev
        yield DerivedTree(tmp_path / "derived", Work(Path(work), None), lambda _: None)


def lay(tree: DerivedTree, *relative: str) -> None:
    """Put files where the tree has them, without publishing them."""
    for path in relative:
        (tree.root / path).parent.mkdir(parents=True, exist_ok=True)
        (tree.root / path).write_bytes(b"x")


async def test_however_many_files_there_are_the_loop_moves_one_folder(
    tree: DerivedTree, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(publish(tree, "a").path.parent)
    watch = Watch(monkeypatch)
    removals = tree.forget("a")
    assert watch.calls == ["rename"]
    assert not (tree.root / "a").exists()
    assert await tree.removed(removals, counted=True) == MANY + 2
    assert watch.calls == ["rename"]


@pytest.mark.parametrize("change", ["purge", "purge by name", "replace", "another node"])
async def test_no_change_of_an_image_unlinks_file_by_file_on_the_event_loop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    async with node(tmp_path) as one:
        await one.upload("a.png", images.png(images.flat(8, 8, (1, 2, 3))))
        assert (await one.api("a.png/@w=4.png")).status == 200
        fill(one.derived / "a.png")
        watch = Watch(monkeypatch)
        if change == "purge":
            assert (await one.delete("a.png/@")).status == 204
        elif change == "purge by name":
            url = f"http://{one.config.api.listen}/purge"
            async with one.client.post(url, json={"names": ["a.png"]}) as answer:
                assert (await answer.json())["files"] == MANY + 3  # the marker, @meta.json and @w=4.png
        elif change == "replace":
            assert (await one.upload("a.png", images.png(images.flat(8, 8, (4, 5, 6))))).status == 201
        else:
            (one.root / "var/store/a.png").write_bytes(images.png(images.flat(8, 8, (4, 5, 6))))
            await one.context.tasks.revalidation.sweep()
        assert len(watch.calls) < 60
        monkeypatch.undo()
        assert not (one.derived / "a.png/@w=7,up=1.jpg").exists()
        wanted = (1, 2, 3) if change.startswith("purge") else (4, 5, 6)
        assert (await one.api("a.png/@w=4.png")).colour == wanted


async def test_a_purge_of_all_brings_nothing_back(tree: DerivedTree) -> None:
    for image in ("photos", "photos/x.jpg"):
        publish(tree, image)
    tree.forget("photos")
    tree.forget_all()
    await tree.settled()
    assert paths(tree) == set()


async def test_a_kill_between_the_renames_loses_cached_images_only(tmp_path: Path) -> None:
    """What was not back yet is deleted at the next start, and nothing that is old is in the tree."""
    tree = tree_in(tmp_path)
    for image in ("photos", "photos/x.jpg"):
        publish(tree, image)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(graves.Graves, "_wake", lambda _: None)  # the process ends here
        tree.forget("photos")
    again = Work(tmp_path / "work", None)
    (left,) = again.clean()
    assert {path.name for path in left.iterdir()} == {MARKER, "@w=1.jpg", "x.jpg"}
    assert paths(tree_in(tmp_path)) == set()


async def test_where_a_folder_cannot_be_moved_its_files_are_unlinked_by_a_thread(
    elsewhere: DerivedTree, monkeypatch: pytest.MonkeyPatch
) -> None:
    lay(elsewhere, "a/@base", "a/@w=1.jpg", "a/@w=2.jpg", "a/b/@base", "a/b/@w=1.jpg")
    watch = Watch(monkeypatch)
    removals = elsewhere.forget("a")
    assert elsewhere.find(name("a")) is None
    assert elsewhere.find(name("a/b"))
    assert await elsewhere.removed(removals) == 3
    assert "unlink" not in watch.calls
    assert paths(elsewhere) == {"a/b/@base", "a/b/@w=1.jpg"}


async def test_the_marker_is_unlinked_last(elsewhere: DerivedTree, monkeypatch: pytest.MonkeyPatch) -> None:
    lay(elsewhere, *(f"a/@w={width}.jpg" for width in range(20)), "a/@base")
    unlinked: list[str] = []
    unlink = folders.unlink

    def watched(path: str) -> int:
        unlinked.append(path)
        return unlink(path)

    monkeypatch.setattr(folders, "unlink", watched)
    await elsewhere.removed(elsewhere.forget("a"))
    assert len(unlinked) == 21
    assert unlinked[-1].endswith("a/@base")


async def test_nothing_is_published_into_a_folder_that_is_being_unlinked(elsewhere: DerivedTree) -> None:
    lay(elsewhere, "a/@base", "a/@w=1.jpg")
    removals = elsewhere.forget("a")
    with pytest.raises(OSError, match="cross-device"):
        publish(elsewhere, "a", 2)
    await elsewhere.removed(removals)
    assert paths(elsewhere) == set()


async def test_everything_is_forgotten_also_where_nothing_can_be_moved(elsewhere: DerivedTree) -> None:
    lay(elsewhere, "a/@base", "a/@w=1.jpg", "a/b/@w=1.jpg", "c")
    clearing = asyncio.create_task(elsewhere.clear())
    await asyncio.sleep(0)
    with pytest.raises(OSError, match="being removed"):
        publish(elsewhere, "a", 2)
    await clearing
    assert elsewhere.root.is_dir()
    assert list(elsewhere.root.iterdir()) == []
    assert elsewhere.usage.files == 0


async def test_what_the_disk_does_not_let_go_of_is_told_and_not_found(
    tree: DerivedTree, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    publish(tree, "a")
    with monkeypatch.context() as patch:
        patch.setattr(graves, "move", fail)
        patch.setattr(folders, "unlink", fail)
        with pytest.raises(OSError, match="Read-only"):
            await tree.removed(tree.forget("a"))
        assert tree.find(name("a")) is None
        assert tree.marker("a") is None
    await tree.removed(tree.forget("a"))
    assert publish(tree, "a", 2).path.exists()
    assert tree.find(name("a", 1)) is None


async def test_a_folder_that_is_left_is_deleted_while_the_service_serves(tmp_path: Path) -> None:
    async with node(tmp_path) as one:
        await one.upload("a.png", images.png(images.flat(8, 8, (1, 2, 3))))
        fill(one.derived / "a.png", 100)
        assert (await one.delete("a.png/@")).status == 204
        await all_is_cleared(one)
