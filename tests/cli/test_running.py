"""`up` and `serve` are read without click as they are mostly given; click reads all else, and refuses it."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from service.cli import main, running


@pytest.mark.parametrize(
    ("line", "command", "given"),
    [
        ("up", running.up, {}),
        ("up -c config.yaml", running.up, {"file": Path("config.yaml")}),
        ("serve", running.serve, {}),
        ("serve -c a.yaml --base b", running.serve, {"file": Path("a.yaml"), "base": Path("b")}),
        ("serve --lead 7 -c a.yaml", running.serve, {"lead": 7, "file": Path("a.yaml")}),
    ],
)
def test_what_runs_for_long_is_read_without_click(line: str, command: object, given: dict[str, object]) -> None:
    run = running.plain(line.split())
    assert isinstance(run, partial)
    assert (run.func, run.keywords) == (command, given)


@pytest.mark.parametrize(
    "line",
    [
        *("", "check", "--version", "-h", "up --help", "serve -h", "up config.yaml", "up -c", "up --base b"),
        *("up -cconfig.yaml", "up --config a.yaml", "serve -c --base", "serve --lead seven", "serve --port 1"),
    ],
)
def test_all_else_is_for_click_to_read_or_to_refuse(line: str) -> None:
    assert running.plain(line.split()) is None


@pytest.mark.parametrize("option", ["-c", "--config"])
@pytest.mark.parametrize("command", ["up", "serve"])
def test_a_configuration_that_is_not_there_is_one_line_either_way(command: str, option: str, tmp_path: Path) -> None:
    file = tmp_path / "absent.yaml"
    ended = subprocess.run(
        [sys.executable, "-m", "service", command, option, str(file)], capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == f"{file}: there is no such file; name the configuration with -c\n"


@pytest.mark.parametrize("line", ["up -c", "up --config", "check -c"])
def test_a_configuration_that_may_not_be_read_is_left_to_who_reads_it(
    line: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Click would refuse the option with its usage and another status, and so would differ from the short reading."""
    file = tmp_path / "config.yaml"
    file.write_bytes(b"\xff")
    monkeypatch.setattr(os, "access", lambda *_, **__: False)  # tests may run as root, who may read all
    assert main([*line.split(), str(file)]) == 1
    assert capfd.readouterr().err == f"{file}: the configuration is not UTF-8\n"
