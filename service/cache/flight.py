"""Single flight: concurrent requests for one name share one result, or one error."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Flights(Generic[T]):
    """The flights under way in this process, by name. A waiter that leaves affects no other; when the last one has
    left, the work is cancelled, and nothing is computed for clients that are gone."""

    def __init__(self) -> None:
        self._flights: dict[str, tuple[asyncio.Task[T], list[None]]] = {}
        self.shared = 0  # requests that joined a flight instead of starting one

    def __len__(self) -> int:
        return len(self._flights)

    def __contains__(self, name: str) -> bool:
        return name in self._flights

    async def join(self, name: str, work: Callable[[], Awaitable[T]]) -> T:
        """The result of `work`, which is started unless a flight of this name is under way. Raises what it raises."""
        task, waiters = self._flights.get(name, (None, []))
        if task is None:
            task = asyncio.ensure_future(self._fly(name, work))
            task.add_done_callback(_retrieve)
            self._flights[name] = (task, waiters)
        else:
            self.shared += 1
        waiters.append(None)
        try:
            return await asyncio.shield(task)
        finally:
            waiters.pop()
            if not waiters and not task.done():
                self._land(name, task)
                task.cancel()

    async def _fly(self, name: str, work: Callable[[], Awaitable[T]]) -> T:
        task = asyncio.current_task()
        try:
            return await work()
        finally:
            self._land(name, task)

    def _land(self, name: str, task: asyncio.Task[T] | None) -> None:
        if name in self._flights and self._flights[name][0] is task:
            del self._flights[name]


def _retrieve(task: asyncio.Task[T]) -> None:
    """Take the error of a flight whose waiters have all left, so that asyncio does not report it as never retrieved."""
    if not task.cancelled():
        task.exception()
