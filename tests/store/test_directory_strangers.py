"""A directory store ignores files of other users that it may not read, and does not change them."""

import ctypes
import tempfile
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from service.store.directory.container import DirectoryContainer
from service.store.errors import NotFound, Unholdable
from tests.swift.stores import put


def _as_nobody() -> None:
    """Have this thread meet files as a user without rights does; a test that is not run by root does anyway."""
    ctypes.CDLL(None).setfsuid(65534)


@pytest.fixture
async def strangers(tmp_path: Path) -> AsyncIterator[tuple[DirectoryContainer, Path]]:
    """Originals of somebody else, some of which we may not read, in a folder where we may write."""
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(2, initializer=_as_nobody) as executor:
        Path(folder).chmod(0o755)
        root = Path(folder) / "originals"
        for name in ("locked/a", "unreadable", "readable/a"):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(b"data")
        (root / "unreadable").chmod(0)
        (root / "locked").chmod(0)
        (root / "readable").chmod(0o555)
        root.chmod(0o777)
        yield DirectoryContainer(root, executor), root
        (root / "locked").chmod(0o700)
        (root / "readable").chmod(0o700)


async def test_what_may_not_be_read_is_not_there(strangers: tuple[DirectoryContainer, Path], tmp_path: Path) -> None:
    container, _ = strangers
    for name in ("locked/a", "locked/nothing", "unreadable"):
        for call in (container.stat(name), container.fetch(name, tmp_path / "target"), container.delete(name)):
            with pytest.raises(NotFound):
                await call
    assert (await container.list(prefix="locked/")).objects == []
    assert [found.name for found in (await container.list()).objects] == ["readable/a"]


async def test_what_belongs_to_somebody_else_is_not_changed_and_the_store_is_well_nevertheless(
    strangers: tuple[DirectoryContainer, Path],
) -> None:
    container, root = strangers
    for name in ("locked/a", "locked/new", "unreadable", "readable/a", "readable/new"):
        with pytest.raises(Unholdable, match="may change nothing"):
            await put(container, root.parent, name)
    with pytest.raises(Unholdable):
        await container.delete("readable/a")
    assert (root / "unreadable").stat().st_size == len(b"data")
    await put(container, root.parent, "new", b"new")
    assert (root / "new").read_bytes() == b"new"
