"""A queue of things that are due at their times."""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import itertools
import time
from typing import Generic, TypeVar

T = TypeVar("T")


class DueQueue(Generic[T]):
    """Things with the times, monotonic, from which on `next` may give them; of several that are due, the earliest."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, T]] = []
        self._serial = itertools.count()
        self._changed = asyncio.Event()

    def __len__(self) -> int:
        return len(self._heap)

    def add(self, thing: T, delay: float = 0.0) -> None:
        """Have it given in `delay` seconds."""
        heapq.heappush(self._heap, (time.monotonic() + delay, next(self._serial), thing))
        self._changed.set()

    async def next(self) -> T:
        """The next thing that is due; it waits for one."""
        while True:
            pause = self._heap[0][0] - time.monotonic() if self._heap else None
            if pause is not None and pause <= 0:
                return heapq.heappop(self._heap)[2]
            self._changed.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._changed.wait()
