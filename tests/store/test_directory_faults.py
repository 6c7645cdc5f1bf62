"""A directory store whose disk fails, or that a crash left in disorder."""

import errno
import fcntl
import os
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from service.store.directory.settings import DirectorySettings
from service.store.directory.store import DirectoryStore
from service.store.errors import ReadOnly, StoreFull, Unavailable
from tests.store.directories import names, started
from tests.swift.stores import put


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "pictures"


@pytest.fixture
async def store(tmp_path: Path, root: Path) -> AsyncIterator[DirectoryStore]:
    async with started(root, tmp_path / "derived") as store:
        yield store


async def test_leftovers_of_the_dead_are_removed_and_files_of_the_living_are_not(tmp_path: Path, root: Path) -> None:
    (root / "@tmp").mkdir(parents=True)
    for name in ("dead", "living", "young"):
        (root / "@tmp" / name).write_bytes(b"half")
    for name in ("dead", "living"):
        os.utime(root / "@tmp" / name, (1, 1))
    with (root / "@tmp/living").open("rb") as living:
        fcntl.flock(living, fcntl.LOCK_EX)
        store = DirectoryStore(DirectorySettings(root, tmp_path / "derived"))
        await store.start()
        await store.close()
    assert {path.name for path in (root / "@tmp").iterdir()} == {"living", "young"}


@pytest.mark.parametrize(
    ("number", "expected"),
    [(errno.ENOSPC, StoreFull), (errno.EDQUOT, StoreFull), (errno.EIO, Unavailable), (errno.EROFS, ReadOnly)],
)
async def test_a_failing_disk_stores_nothing_and_says_so(
    store: DirectoryStore, root: Path, monkeypatch: pytest.MonkeyPatch, number: int, expected: type[Exception]
) -> None:
    def fail(*_: object, **__: object) -> int:
        raise OSError(number, os.strerror(number))

    for call in ("fsync", "rename", "write"):
        with monkeypatch.context() as patch:
            patch.setattr(os, call, fail)
            with pytest.raises(expected) as failure:
                await put(store.originals, root.parent, "a/b", b"x" * 100)
            assert str(root) not in str(failure.value)
        assert await names(store) == []
        assert list((root / "@tmp").iterdir()) == []
    await put(store.originals, root.parent, "a/b")


async def test_a_root_that_went_away_is_unavailable_not_empty(store: DirectoryStore, root: Path) -> None:
    await put(store.originals, root.parent, "a")
    root.rename(root.parent / "elsewhere")
    for call in (store.originals.stat("a"), store.originals.list(), store.originals.delete("a")):
        with pytest.raises(Unavailable):
            await call
    (root.parent / "elsewhere").rename(root)
    assert await names(store) == ["a"]


async def test_a_folder_that_may_not_be_read_is_left_out(store: DirectoryStore, root: Path) -> None:
    await put(store.originals, root.parent, "a")
    (root / "lost+found").mkdir()
    (root / "lost+found").chmod(0)
    try:
        assert await names(store) == ["a"]
    finally:
        (root / "lost+found").chmod(stat.S_IRWXU)


async def test_a_full_disk_of_the_target_is_not_a_full_store(
    store: DirectoryStore, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await put(store.originals, tmp_path, "a", b"data")

    def fail(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left")

    monkeypatch.setattr(os, "sendfile", fail)
    with pytest.raises(OSError, match="No space left"):
        await store.originals.fetch("a", tmp_path / "target")
    assert not (tmp_path / "target").exists()
