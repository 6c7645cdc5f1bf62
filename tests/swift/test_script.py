"""`scripts/swift` starts a Swift that stays, and ends it again."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from swiftclient import Connection

from tests.swift.server import PROJECT, environment

pytestmark = pytest.mark.swift


def test_a_swift_is_started_used_stopped_and_keeps_its_data(tmp_path: Path) -> None:
    # A copy, so that the Swift that somebody runs in the working directory is left alone.
    for part in ("scripts/swift", "tests/__init__.py", "tests/swift"):
        copy = shutil.copytree if (PROJECT / part).is_dir() else shutil.copy2
        (tmp_path / part).parent.mkdir(parents=True, exist_ok=True)
        copy(PROJECT / part, tmp_path / part)
    environ = os.environ | {"SWIFT_TEST_ENVIRONMENTS": str(environment().parent)}

    def run(*arguments: str) -> tuple[int, str]:
        command = [str(tmp_path / "scripts/swift"), *arguments]
        done = subprocess.run(command, check=False, env=environ, capture_output=True, text=True, timeout=60)
        return done.returncode, done.stdout

    assert run("status") == (3, "down\n")
    try:
        for data in (b"first", b"second"):
            status, output = run("start")
            variables = dict(re.findall(r"(ST_\w+)=(\S+)", output))
            assert (status, sorted(variables)) == (0, ["ST_AUTH", "ST_KEY", "ST_USER"])
            assert run("start") == (0, output)
            connection = Connection(variables["ST_AUTH"], variables["ST_USER"], variables["ST_KEY"], retries=0)
            if data == b"second":
                assert connection.get_object("images", "kept")[1] == b"first"
            connection.put_object("images", "kept", data)
            connection.close()
            assert run("status")[0] == 0
            assert run("stop")[0] == 0
            assert run("status")[0] == 3
    finally:
        run("stop")
