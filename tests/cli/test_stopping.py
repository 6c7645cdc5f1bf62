"""Ctrl-C during a start: one line, no traceback, nothing left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.gateways import free_ports, write_config
from tests.waiting import PATIENCE

HOME = Path(__file__).resolve().parents[2]
STARTED = {"up": "service.supervise.up", "serve": "service.app"}  # the module that each command loads last of all
STOPPED = {130, -signal.SIGINT}  # which is the same to a shell; CPython ends so where code that it compiled was running

INTERRUPT = """
import os, signal, sys

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Finder())
"""


def start(command: str, root: Path, **environ: str) -> subprocess.Popen[str]:
    """A command in a session of its own, as a terminal has one. It heeds Ctrl-C also where the tests run in the
    background of a script, which has them ignore it."""
    file = write_config(root, {}, free_ports(2))
    return subprocess.Popen(
        ["env", "--default-signal=INT", sys.executable, "-m", "service", command, "-c", str(file)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, **environ},
    )


@pytest.mark.parametrize("command", STARTED)
@pytest.mark.parametrize("module", ["service.cli.running", "pydantic", "service.observability.logs", None])
def test_ctrl_c_while_code_is_loaded_is_one_line(tmp_path: Path, command: str, module: str | None) -> None:
    (tmp_path / "sitecustomize.py").write_text(INTERRUPT.format(module=module or STARTED[command]))
    process = start(command, tmp_path, PYTHONPATH=f"{tmp_path}:{HOME}")
    said = process.communicate(timeout=PATIENCE)
    assert said == ("", "stopped\n")
    assert process.returncode in STOPPED


@pytest.mark.parametrize(
    ("command", "step"),
    [
        ("up", "var/run"),
        ("up", "var/run/up.lock"),
        ("up", "var/run/accepted.yaml"),  # and then ImageMagick is asked what it can do, by a process of its own
        ("up", "var/run/nginx/nginx.conf"),
        ("serve", "var/cache"),
        ("serve", "var/run/imagemagick"),
    ],
)
def test_ctrl_c_while_it_starts_is_one_line_at_most(tmp_path: Path, command: str, step: str) -> None:
    process = start(command, tmp_path)
    end = time.monotonic() + PATIENCE
    while not (tmp_path / step).exists() and process.poll() is None and time.monotonic() < end:
        time.sleep(0.001)
    assert (tmp_path / step).exists()
    os.killpg(process.pid, signal.SIGINT)  # the whole foreground group gets it
    errors = process.communicate(timeout=PATIENCE)[1]
    assert errors in ("", "stopped\n")
    assert process.returncode in (0, *STOPPED)
