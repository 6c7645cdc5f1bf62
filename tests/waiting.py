"""Waiting for what happens soon, and bounds on work, on a machine that may be busy with something else."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

PATIENCE = 120.0  # seconds; what is waited for takes one or two where nothing else runs

MOST_WORK = 10.0  # seconds of a processor; the longest of what is bounded by it takes half of one


def until(
    condition: Callable[[], object], *, pause: float = 0.02, log: Callable[[], str] = lambda: "nothing is logged"
) -> None:
    """Return as soon as the condition holds. Raises AssertionError with the log when it does not within PATIENCE."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, f"it did not happen in time: {log()}"
        time.sleep(pause)


async def eventually(condition: Callable[[], object], *, pause: float = 0.01) -> None:
    """The same, and let other tasks run meanwhile."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        await asyncio.sleep(pause)


def listens(path: Path) -> bool:
    """Whether connections to a Unix socket are taken. Its file is there a moment before."""
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(str(path))
        except OSError:
            return False
    return True


@contextlib.contextmanager
def little_work(most: float = MOST_WORK) -> Iterator[None]:
    """Fail if this thread works for longer than `most` seconds in the block, as in a loop over all pairs of its input.

    The time of the processor is counted, so that a busy machine does not matter.
    """
    began = time.thread_time()
    try:
        yield
    finally:
        worked = time.thread_time() - began
        assert worked < most, f"{worked:.1f} s of a processor"
