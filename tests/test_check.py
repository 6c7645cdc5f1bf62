"""`image-gateway check`: what is wrong is found before a start, each finding a line that says what to do."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.gateways import free_ports, write_config

HOME = Path(__file__).resolve().parent.parent


def check(root: Path, options: Mapping[str, Any] | None = None, code: Path = HOME) -> tuple[int, list[str]]:
    """Exit status, and the lines that say `wrong`. `code` is the project's tree to check with."""
    file = write_config(root, options or {}, free_ports(2))
    ended = subprocess.run(
        [sys.executable, "-m", "service", "check", "-c", file],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=code,
        env={**os.environ, "PYTHONPATH": str(code)},
    )
    assert "Traceback" not in ended.stderr, ended.stderr
    return ended.returncode, [line for line in ended.stdout.splitlines() if line.startswith("wrong")] + [
        line for line in ended.stderr.splitlines() if line
    ]


def test_all_is_well_at_the_defaults(tmp_path: Path) -> None:
    assert check(tmp_path) == (0, [])


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ({"formats": {"accept": ["jpg", "ico", "heic"]}}, None),
        ({"cache": {"derived": "900TiB"}}, "wrong cache.derived, cache.originals: together"),
        ({"store": {"kind": "swift", "swift": {"auth_url": "http://127.0.0.1:9/auth/v1.0"}}}, "wrong store (swift): "),
        ({"store": {"directory": {"root": "config.yaml"}}}, "wrong store (directory): "),
        ({"cache": {"root": "/proc/nowhere"}}, "wrong cache.root, runtime.root: "),
        ({"public": {"access": "signed"}}, "config.yaml:"),
    ],
)
def test_a_finding_names_the_key_and_fails_the_check(
    tmp_path: Path, options: Mapping[str, Any], wanted: str | None
) -> None:
    status, wrong = check(tmp_path, options)
    assert status == (1 if wanted else 0)
    assert not wanted or any(wanted in line for line in wrong), wrong


def test_a_taken_port_is_found(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        status, wrong = check(tmp_path, {"api": {"listen": listen}})
    assert status == 1
    assert any(line.startswith(f"wrong api.listen: {listen}: Address already in use") for line in wrong)


def test_a_twin_that_was_changed_alone_is_found(tmp_path: Path) -> None:
    code = tmp_path / "code"
    for folder in ("gateway", "nginx", "service"):
        shutil.copytree(HOME / folder, code / folder, ignore=shutil.ignore_patterns("__pycache__"))
    names = code / "gateway/recipes.lua"
    changed = names.read_text().replace("180", "181", 1)
    assert changed != names.read_text()
    names.write_text(changed)
    status, wrong = check(tmp_path, code=code)
    assert status == 1
    assert any("Lua" in line for line in wrong), wrong
