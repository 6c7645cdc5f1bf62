"""Deletion behind the answers: what is to go is deleted together with all that comes while a request is under way."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Sequence

from service.store.errors import StoreError

LAST = 2.0  # seconds that the end of the store waits for what is left

_log = logging.getLogger(__name__)


class Discarding:
    """Deletes names by `delete`, one call at a time. What cannot be deleted is left to those who sweep the container.

    A name is `in` it until its deletion has ended.
    """

    def __init__(self, delete: Callable[[Sequence[str]], Awaitable[object]]) -> None:
        self._delete = delete
        self._waiting: dict[str, None] = {}
        self._under_way: frozenset[str] = frozenset()
        self._task: asyncio.Task[None] | None = None

    def __contains__(self, name: str) -> bool:
        return name in self._waiting or name in self._under_way

    def add(self, names: Sequence[str]) -> None:
        """Have these deleted, beginning now."""
        self._waiting |= dict.fromkeys(names)
        if self._waiting and (self._task is None or self._task.done()):
            self._task = asyncio.create_task(self._work())

    async def close(self) -> None:
        """Wait for what is left, for LAST seconds at most."""
        if self._task:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._task, LAST)

    async def _work(self) -> None:
        while self._waiting:
            names, self._waiting = list(self._waiting), {}
            self._under_way = frozenset(names)
            try:
                await self._delete(names)
            except StoreError as error:
                _log.info("uploads are left in the incoming container until they are swept: %s", error)
            finally:
                self._under_way = frozenset()
