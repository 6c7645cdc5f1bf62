"""Waiting for what happens soon, on a machine that may be busy with something else."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

PATIENCE = 120.0  # seconds; what is waited for takes one or two where nothing else runs


def until(condition: Callable[[], object], *, pause: float = 0.02) -> None:
    """Return as soon as the condition holds. Raises AssertionError when it does not within PATIENCE."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(pause)


async def eventually(condition: Callable[[], object], *, pause: float = 0.01) -> None:
    """The same, and let other tasks run meanwhile."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        await asyncio.sleep(pause)
