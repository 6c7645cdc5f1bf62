"""What `image-gateway check` tells of the key of temporary URLs."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.config import load
from service.cli.check_temp_urls import key_findings
from service.store.directory.key import KEY_FILE


def findings(base: Path, text: str = "") -> list[tuple[str, str, bool]]:
    config = load(text, file="config.yaml", base=base, environ={}, read_file=Path.read_text)
    return list(key_findings(config))


@pytest.fixture
def key(tmp_path: Path) -> Path:
    file = tmp_path / "var/derived" / KEY_FILE
    file.parent.mkdir(parents=True)
    file.write_text("the key")
    file.chmod(0o600)
    return file


def test_before_a_first_start_there_is_nothing_to_say(tmp_path: Path) -> None:
    assert findings(tmp_path) == []


def test_a_key_that_only_its_owner_reads_is_well(key: Path, tmp_path: Path) -> None:
    assert findings(tmp_path) == []


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_key_that_others_read_is_wrong_and_the_remedy_is_told(key: Path, tmp_path: Path, mode: int) -> None:
    key.chmod(mode)
    ((where, text, wrong),) = findings(tmp_path)
    assert (where, wrong) == ("store.directory.temp_url.key", True)
    assert f"{key}: chmod 600" in text


@pytest.mark.parametrize("text", ["store: {directory: {temp_url: {key: ours}}}", "store: {kind: swift}"])
def test_a_key_that_is_not_used_is_not_looked_at(key: Path, tmp_path: Path, text: str) -> None:
    key.chmod(0o644)
    assert findings(tmp_path, text) == []
