"""Remove the files of an image again and again, as an eviction would, and faster than any does."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.gateways import command_line
from tests.waiting import until

EVICT = """
import pathlib, sys, time
while True:
    for file in pathlib.Path(sys.argv[1]).glob("@*.*"):
        file.unlink(missing_ok=True)
    time.sleep(0.002)
"""


@contextmanager
def evicting(folder: Path) -> Iterator[None]:
    """Remove the derived images in a folder every two milliseconds."""
    remover = subprocess.Popen([sys.executable, "-c", EVICT, str(folder)])
    try:
        until(lambda: "unlink" in command_line(remover.pid))
        yield
    finally:
        remover.kill()
        remover.wait()
