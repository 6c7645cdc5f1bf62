"""On the disk of the caches a directory store finds without a thread that a derived image is not there."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from service.store.directory import container
from service.store.directory.container import DirectoryContainer
from service.store.errors import NotFound, Unavailable
from tests.swift.stores import content, put

LONG = f"cat.jpg/@w=1,bg={'f' * 300}.png"
ABSENT = ("cat.jpg/@w=2.jpg", "cat.jpg/@w=1.jpg/x", "dog.jpg/@w=1.jpg", LONG)


class Threads(ThreadPoolExecutor):
    """Counts what threads are asked for."""

    asked = 0

    def submit(self, *args: Any, **kwargs: Any) -> Any:
        self.asked += 1
        return super().submit(*args, **kwargs)


@pytest.fixture
def threads() -> Iterator[Threads]:
    with Threads(1) as made:
        yield made


async def opened(folder: Path, threads: Threads) -> DirectoryContainer:
    """A container on the disk of the caches, if that is what `container._device` says, with one image."""
    (folder / "caches").mkdir()
    made = DirectoryContainer(folder / "derived", threads, derived=True, beside=folder / "caches")
    await made.start("store.directory.derived", make=True)
    await put(made, folder, "cat.jpg/@w=1.jpg", b"data")
    return made


async def test_what_is_not_there_takes_no_thread(tmp_path: Path, threads: Threads) -> None:
    derived = await opened(tmp_path, threads)
    before = threads.asked
    for name in ABSENT:
        with pytest.raises(NotFound):
            await derived.stat(name)
    assert threads.asked == before


async def test_what_is_there_is_found(tmp_path: Path, threads: Threads) -> None:
    derived = await opened(tmp_path, threads)
    await put(derived, tmp_path, LONG, b"long")
    assert (await derived.stat("cat.jpg/@w=1.jpg")).bytes == 4
    assert (await derived.stat(LONG)).bytes == 4
    assert await content(derived, tmp_path, "cat.jpg/@w=1.jpg") == b"data"


async def test_a_name_that_no_file_can_have_is_not_there(tmp_path: Path, threads: Threads) -> None:
    derived = await opened(tmp_path, threads)
    for name in ("a\0/@w=1.jpg", "a/../@w=1.jpg", f"{'a' * 300}/@w=1.jpg", "@tmp"):
        with pytest.raises(NotFound):
            await derived.stat(name)


async def test_a_disk_of_its_own_is_waited_for_in_a_thread(
    tmp_path: Path, threads: Threads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(container, "_device", {tmp_path / "caches": 1, tmp_path / "derived": 2}.get)
    derived = await opened(tmp_path, threads)
    before = threads.asked
    for name in ABSENT:
        with pytest.raises(NotFound):
            await derived.stat(name)
    assert threads.asked == before + len(ABSENT)


async def test_a_root_that_cannot_be_had_is_no_store_that_lacks_the_image(tmp_path: Path, threads: Threads) -> None:
    derived = await opened(tmp_path, threads)
    (tmp_path / "derived").rename(tmp_path / "away")
    (tmp_path / "derived").write_bytes(b"no folder")
    with pytest.raises(Unavailable):
        await derived.stat("cat.jpg/@w=1.jpg")


async def test_a_folder_that_was_deleted_holds_nothing_and_comes_back(tmp_path: Path, threads: Threads) -> None:
    derived = await opened(tmp_path, threads)
    (tmp_path / "derived").rename(tmp_path / "away")
    with pytest.raises(NotFound):
        await derived.stat("cat.jpg/@w=1.jpg")
    assert (tmp_path / "derived").is_dir()
    await put(derived, tmp_path, "cat.jpg/@w=1.jpg", b"anew")
    assert await content(derived, tmp_path, "cat.jpg/@w=1.jpg") == b"anew"
