"""What a burst of large blocks leaves in the process."""

from __future__ import annotations

import ctypes
import subprocess
import sys

import pytest

BURST = """
import sys
from pathlib import Path
from service.runtime.allocation import give_back_large_blocks
if "given back" in sys.argv:
    give_back_large_blocks()
def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096
small, before = [], resident()
for _ in range(3):
    blocks = []
    for number in range(200):
        blocks.append(bytearray(256_000))
        small.append(bytearray(2000))  # what lies between them, and stays
    del blocks
print(resident() - before)
"""


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "gnu_get_libc_version"), reason="the C library is not glibc")
def test_a_burst_of_large_blocks_leaves_nothing_in_the_process() -> None:
    assert _left("given back") < 8 * 2**20  # of 51 MB; the small ones are 1.2


def _left(*arguments: str) -> int:
    done = subprocess.run([sys.executable, "-c", BURST, *arguments], capture_output=True, text=True, check=True)
    return int(done.stdout)
