"""What a directory store makes at its start, and what it waits for."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.store.directory.settings import DirectorySettings
from service.store.directory.store import DirectoryStore
from service.store.errors import Unavailable


async def start(settings: DirectorySettings) -> None:
    store = DirectoryStore(settings)
    try:
        await store.start()
    finally:
        await store.close()


@pytest.mark.parametrize(("home", "root"), [("config", "config/var/store"), ("config", "data/store"), (None, "store")])
async def test_a_first_start_makes_it_below_its_home_or_in_a_folder_that_is_there(
    tmp_path: Path, home: str | None, root: str
) -> None:
    (tmp_path / "data").mkdir()
    await start(DirectorySettings(tmp_path / root, tmp_path / "derived", home=tmp_path / home if home else None))
    assert (tmp_path / root).is_dir()


@pytest.mark.parametrize(("folder", "new"), [("mistyped/store", True), ("config/var/store", False), ("store", False)])
async def test_what_is_mistyped_or_was_there_before_is_not_made(tmp_path: Path, folder: str, new: bool) -> None:
    root = tmp_path / folder
    settings = DirectorySettings(root, tmp_path / "derived", home=tmp_path / "config", new=new)
    with pytest.raises(Unavailable, match=f"^store.directory.root: {root} is no folder that exists; make it"):
        await start(settings)
    assert not (tmp_path / folder.partition("/")[0]).exists()


async def test_where_derived_images_are_kept_is_made_again(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    await start(DirectorySettings(tmp_path / "store", tmp_path / "derived", new=False))
    assert (tmp_path / "derived").is_dir()
