"""The log itself on a disk without room."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

CODE = """
import logging, sys
from gateway.settings import Log
from service.observability import logs
logs.configure(Log())
logging.getLogger("x").error("one line")
shown = open(sys.argv[1], "w")
sys.stderr = shown
logging.getLogger("x").error("another line")
shown.close()
"""


def test_a_line_that_finds_no_room_is_dropped_without_a_traceback(tmp_path: Path) -> None:
    shown = tmp_path / "shown"
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([sys.executable, "-c", CODE, str(shown)], stderr=full, timeout=60, check=False)
    assert done.returncode == 0
    assert shown.read_text() == ""
