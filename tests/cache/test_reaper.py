"""What is out of sight is deleted while the service serves: no start and no stop waits for it, and nothing is left."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from gateway.paths import MARKER
from service.cache import reaper
from service.cache.reaper import Deleted, Reaper
from tests import images
from tests.cache.nodes import Node, node
from tests.waiting import eventually

PHOTO = images.png(images.flat(64, 48, (1, 2, 3)))
OTHER_BYTES = {"formats": {"quality": {"jpg": 20}}}


class Held:
    """A deletion that does not get on: its first file is being deleted until `release`; a minute later it is too late
    for any test."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.begun, self.release, self.done = threading.Event(), threading.Event(), threading.Event()
        unlink = reaper._unlink

        def held(entry: os.DirEntry[str], deleted: Deleted) -> bool:
            self.begun.set()
            self.release.wait(60)
            self.done.set()
            return unlink(entry, deleted)

        monkeypatch.setattr(reaper, "_unlink", held)


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[Held]:
    holding = Held(monkeypatch)
    yield holding
    holding.release.set()


def fill(folder: Path, images: int = 3) -> None:
    """What a derived tree has of so many images: three files each."""
    for number in range(images):
        of_image = folder / f"{number % 2}" / f"{number}.jpg"
        of_image.mkdir(parents=True)
        for leaf in (MARKER, "@w=1.jpg", "@w=2.jpg"):
            (of_image / leaf).write_bytes(b"")


def folders(root: Path) -> list[Path]:
    """What is still to be deleted."""
    return [path for path in (root / "var/cache/work").iterdir() if path.is_dir()]


def files(root: Path) -> list[Path]:
    return [path for folder in folders(root) for path in folder.rglob("*") if path.is_file()]


async def make(one: Node) -> None:
    for number in range(3):
        await one.upload(f"{number}.png", PHOTO)
        assert (await one.api(f"{number}.png/@w=20.jpg")).headers["X-Cache"] == "MISS"


async def test_a_folder_is_deleted_with_all_below_it_and_nothing_else(tmp_path: Path) -> None:
    fill(tmp_path / "grave", 40)
    deep = tmp_path / "grave" / "/".join("d" * 400)
    deep.mkdir(parents=True)
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/file").write_bytes(b"")
    (deep / "link").symlink_to(tmp_path / "outside")
    (deep / "dangling").symlink_to(tmp_path / "nowhere")
    assert await Reaper().delete(tmp_path / "grave") == Deleted(images=40, files=122)
    assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")] == ["outside", "outside/file"]


async def test_a_folder_that_is_gone_already_is_no_failure(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert await Reaper().delete(tmp_path / "grave") == Deleted()
    assert not caplog.records


async def test_what_cannot_be_deleted_is_told_and_keeps_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    fill(tmp_path / "grave", 10)
    unlink = Path.unlink

    def refuse(path: Path, missing_ok: bool = False) -> None:
        if path.match("7.jpg/@w=1.jpg"):
            raise PermissionError(1, "Operation not permitted", str(path))
        unlink(path, missing_ok)

    monkeypatch.setattr(Path, "unlink", refuse)
    deleted = await Reaper().delete(tmp_path / "grave")
    assert (deleted.images, deleted.files) == (10, 29)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["@w=1.jpg"]
    assert "7.jpg/@w=1.jpg" in caplog.text


async def test_a_start_serves_before_it_deletes_what_was_left(tmp_path: Path, held: Held) -> None:
    fill(tmp_path / "var/cache/work/left")
    (tmp_path / "var/cache/work/unfinished").write_bytes(b"")
    async with node(tmp_path) as one:
        assert not (tmp_path / "var/cache/work/unfinished").exists()
        await make(one)
        await eventually(held.begun.is_set)
        assert (await one.api("0.png/@w=20.jpg")).headers["X-Cache"].startswith("HIT")
        assert len(files(tmp_path)) == 9
        await one.context.tasks.derived_janitor.count()
        assert one.context.tasks.disk.tree.usage.files == sum(1 for _ in one.derived.rglob("*"))
        held.release.set()
        await eventually(lambda: not folders(tmp_path))
        assert one.context.tasks.disk.tree.usage.files == sum(1 for _ in one.derived.rglob("*"))


async def test_a_stop_does_not_wait_for_a_deletion_and_the_next_start_goes_on(tmp_path: Path, held: Held) -> None:
    async with node(tmp_path) as first:
        await make(first)
    async with node(tmp_path, OTHER_BYTES) as second:
        assert (await second.api("0.png/@w=20.jpg")).headers["X-Cache"] == "MISS"
        await eventually(held.begun.is_set)
    assert not held.done.is_set()
    assert folders(tmp_path)
    async with node(tmp_path, OTHER_BYTES) as third:
        assert (await third.api("0.png/@w=20.jpg")).headers["X-Cache"] == "HIT-DISK"
        assert not held.done.is_set()
        held.release.set()
        await eventually(lambda: not folders(tmp_path))


async def test_a_purge_of_all_ends_with_the_service_and_the_next_one_deletes_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = threading.Event()

    def pretend(*_: object) -> bool:
        begun.set()
        return True

    monkeypatch.setattr(reaper, "_unlink", pretend)  # so the end never comes
    async with aiohttp.ClientSession() as client:
        async with node(tmp_path, {"cache": {"persist": "always"}}) as first:
            await make(first)
            await first.context.derivatives.close()  # what was on its way is stored
            purging = asyncio.create_task(client.post(f"http://{first.config.api.listen}/purge", json={"all": True}))
            await eventually(begun.is_set)
            assert not any(first.derived.iterdir())
            assert not purging.done()
        async with await purging as answer:
            assert (answer.status, await answer.json()) == (200, {"images": 0, "files": 0, "objects": 6})
    assert len(files(tmp_path)) == 9
    monkeypatch.undo()
    async with node(tmp_path) as second:
        assert not any(second.derived.iterdir())
        await eventually(lambda: not folders(tmp_path))


async def test_a_purge_goes_on_when_its_client_leaves(tmp_path: Path, held: Held) -> None:
    async with node(tmp_path) as one:
        await make(one)
        purging = asyncio.create_task(one.client.post(f"http://{one.config.api.listen}/purge", json={"all": True}))
        await eventually(held.begun.is_set)
        purging.cancel()
        await asyncio.wait({purging})
        held.release.set()
        await eventually(lambda: not folders(tmp_path))
