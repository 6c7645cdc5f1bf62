"""Originals that nodes have changed a moment ago: replicas of the store may still have what was before."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from pathlib import Path

from service.store.base import Container, StoredObject
from service.store.errors import Unavailable

TRIES = 4  # for an answer that is not older than what another node has stored
PAUSE = 0.25  # seconds between two of them


class LatelyChanged:
    """Asks for the newest version of such originals, for a while after each change."""

    def __init__(self) -> None:
        self._until: OrderedDict[str, tuple[float, int]] = OrderedDict()  # and since when the store has it, at least

    def add(self, name: str, current: tuple[str, int] | None, seconds: float) -> None:
        """It was changed, and `current` is its ETag and the second since the epoch when it was stored, None where that
        is not known; that is remembered for so many seconds."""
        now = time.monotonic()
        _, before = self._until.pop(name, (0.0, 0))
        self._until[name] = now + seconds, max(before, current[1]) if current else 0
        while self._until and next(iter(self._until.values()))[0] < now:
            self._until.popitem(last=False)

    async def stat(self, container: Container, name: str) -> StoredObject:
        """As `Container.stat`. Raises Unavailable where the store has nothing but what was before the change."""
        if not self._is_asked(name):
            return await container.stat(name)
        return await self._held(name, lambda: container.stat(name, newest=True))

    async def fetch(self, container: Container, name: str, target: Path) -> StoredObject:
        """As `Container.fetch`. Raises Unavailable where the store has nothing but what was before the change."""
        if not self._is_asked(name):
            return await container.fetch(name, target)
        return await self._held(name, lambda: container.fetch(name, target, newest=True))

    def _is_asked(self, name: str) -> bool:
        return name in self._until and self._until[name][0] > time.monotonic()

    async def _held(self, name: str, ask: Callable[[], Awaitable[StoredObject]]) -> StoredObject:
        """The answer, held against what the other node has stored."""
        for turn in range(TRIES):
            await asyncio.sleep(PAUSE if turn else 0.0)
            stored = await ask()
            if int(stored.modified) >= self._until.get(name, (0.0, 0))[1]:
                return stored
        raise Unavailable(f"of {name!r} the store has an older version than another node has stored")
