"""What `image-gateway check` tells of the key of temporary URLs."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.config import load
from service.open_store import open_store
from service.store.base import Observation
from service.store.directory.key import KEY_FILE
from service.store.errors import StoreError


async def findings(base: Path, text: str = "") -> list[Observation]:
    store = open_store(load(text, file="config.yaml", base=base, environ={}, read_file=Path.read_text))
    found: list[Observation] = []
    try:
        await store.inspect(found.append)
    except StoreError:  # there is no such Swift
        pass
    finally:
        await store.close()
    return [one for one in found if one.where.endswith("temp_url.key")]


@pytest.fixture
def key(tmp_path: Path) -> Path:
    file = tmp_path / "var/derived" / KEY_FILE
    file.parent.mkdir(parents=True)
    file.write_text("the key")
    file.chmod(0o600)
    return file


async def test_before_a_first_start_there_is_nothing_to_say(tmp_path: Path) -> None:
    assert await findings(tmp_path) == []


async def test_a_key_that_only_its_owner_reads_is_well(key: Path, tmp_path: Path) -> None:
    assert await findings(tmp_path) == []


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
async def test_a_key_that_others_read_is_wrong_and_the_remedy_is_told(key: Path, tmp_path: Path, mode: int) -> None:
    key.chmod(mode)
    (found,) = await findings(tmp_path)
    assert (found.where, found.wrong) == ("store.directory.temp_url.key", True)
    assert f"{key}: chmod 600" in found.text


@pytest.mark.parametrize("text", ["store: {directory: {temp_url: {key: ours}}}", "store: {kind: swift}"])
async def test_a_key_that_is_not_used_is_not_looked_at(key: Path, tmp_path: Path, text: str) -> None:
    key.chmod(0o644)
    assert await findings(tmp_path, text) == []
