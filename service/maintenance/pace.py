"""How fast a background task may use Swift: by what each request costs there, as `bench/run fleet` measures it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

LIST = 9e-3  # seconds of CPU of Swift: a listing of no rows
ROW = 43e-6  # a row of a listing
HEAD = 3.6e-3
REMOVE = 50e-3  # what is done of an image that has something to be removed: a HEAD, two listings, some HEADs or DELETEs
PART = 0.02  # of a core of Swift, for all nodes together
LEAST = 0.1  # seconds that are worth a rest


class Pace:
    """Rests so long after each request that `nodes` nodes with the same task take PART of a core of Swift together."""

    def __init__(self, nodes: int, rest: Callable[[float], Awaitable[object]] = asyncio.sleep) -> None:
        self._slowness = nodes / PART
        self._rest = rest
        self._due = 0.0  # seconds

    async def spent(self, cost: float) -> None:
        """Rest, if enough has come together, after a request that cost Swift so many seconds of CPU."""
        self._due += cost * self._slowness
        if self._due >= LEAST:
            due, self._due = self._due, 0.0
            await self._rest(due)
