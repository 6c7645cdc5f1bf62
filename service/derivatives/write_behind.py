"""Write derived images to the derived container after they were answered.

A store that is slower than images are made would gather them without end, and every miss would wait behind them for
its original. So few are sent at once, few wait, and what comes beyond that is not stored: it can always be made again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from prometheus_client import Counter

from service.store.errors import StoreError

AT_ONCE = 8  # half of the connections to a Swift, at its default
MOST = 256  # that wait or are sent
PATIENCE = 10.0  # seconds that an end waits for them

UNPERSISTED = Counter(
    "image_gateway_unpersisted",
    "Images that the derived container was not given, although the policy is to store all: too many waited for it.",
    registry=None,
)

T = TypeVar("T")
log = logging.getLogger(__name__)


class WriteBehind(Generic[T]):
    """Images that wait for `send`, which stores one. All on one event loop."""

    def __init__(self, send: Callable[[T], Awaitable[object]]) -> None:
        self._send_one = send
        self._places = asyncio.Semaphore(AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._tasks)

    def add(self, made: T) -> None:
        """Send it as soon as there is a place; never raises."""
        if len(self._tasks) >= MOST:
            UNPERSISTED.inc()
            log.warning("not stored, since %d images wait for the derived container: %s", MOST, made)
            return
        task = asyncio.ensure_future(self._send(made))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Wait for what is still on its way, PATIENCE seconds at most; what is left then is not stored."""
        if not self._tasks:
            return
        _, left = await asyncio.wait(self._tasks, timeout=PATIENCE)
        if left:
            log.warning("not stored, since the derived container takes too long: %d images", len(left))
        UNPERSISTED.inc(len(left))
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def _send(self, made: T) -> None:
        async with self._places:
            try:
                await self._send_one(made)
            except (StoreError, OSError) as error:
                log.warning("the derived container did not take %s: %s", made, error)
