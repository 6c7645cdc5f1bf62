"""A folder is one process's alone, as long as that lives."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from service.runtime.lock import AlreadyRunning, exclusive


@pytest.fixture
def other(tmp_path: Path) -> subprocess.Popen[bytes]:
    """Another process, which has the folder for a role."""
    code = (
        "import pathlib, time\nfrom service.runtime.lock import exclusive\n"
        f"with exclusive(pathlib.Path({str(tmp_path)!r}), 'caches'):\n print('mine', flush=True)\n time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"mine\n"
    return process


def end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.communicate()


def test_only_one_process_has_a_folder_and_its_death_gives_it_free(
    tmp_path: Path, other: subprocess.Popen[bytes]
) -> None:
    try:
        named = rf"cache\.root: {tmp_path} is in use"
        with pytest.raises(AlreadyRunning, match=named), exclusive(tmp_path, "caches", option="cache.root"):
            pass
        with exclusive(tmp_path, "another role"):
            pass
    finally:
        end(other)
    with exclusive(tmp_path, "caches"):
        pass


def test_whoever_has_patience_gets_what_becomes_free(tmp_path: Path, other: subprocess.Popen[bytes]) -> None:
    ending = threading.Timer(0.2, lambda: end(other))
    ending.start()
    with exclusive(tmp_path, "caches", patience=30.0):
        ending.join()
