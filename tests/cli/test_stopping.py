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

STEPS = {  # what is there once a start has come so far
    "up": ("var/run", "var/run/accepted.yaml", "var/run/service.sock"),
    "serve": ("var/run", "var/cache"),
}


def interrupted(command: str, root: Path, step: str) -> tuple[int, str]:
    """Start a command as a terminal does, and press Ctrl-C when a start has made `step`: the whole group gets it."""
    file = write_config(root, {}, free_ports(2))
    process = subprocess.Popen(
        [sys.executable, "-m", "service", command, "-c", str(file)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    end = time.monotonic() + 60
    while not (root / step).exists() and process.poll() is None and time.monotonic() < end:
        time.sleep(0.001)
    os.killpg(process.pid, signal.SIGINT)
    errors = process.communicate(timeout=60)[1]
    return process.returncode, errors


@pytest.mark.parametrize(("command", "step"), [(command, step) for command, steps in STEPS.items() for step in steps])
def test_ctrl_c_during_a_start_is_one_line(tmp_path: Path, command: str, step: str) -> None:
    status, errors = interrupted(command, tmp_path, step)
    assert "Traceback" not in errors
    assert len(errors.splitlines()) <= 1, errors
    assert status in (0, 130)
