"""Gather entries so that one object bears several: databases call it group commit.

An entry that finds none being written is written at once. It waits for others, for LONGEST_WAIT at most, while the ones
before it are being written, and while MANY changes are on their way, whose entries come soon (as PostgreSQL waits, by
its commit_delay and commit_siblings), unless the last one waited in vain. So a client that makes one change after the
other waits once at most, and a PUT that is slow or lost holds up those entries alone that come right after it.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from gateway.journal import Entry, group_size

LONGEST_WAIT = 0.2  # seconds that an entry waits for others; two cores take about that for MANY uploads of 2 MB
MANY = 8  # changes on their way for which an entry waits


@dataclass(frozen=True, slots=True)
class Pending:
    """An entry that is to be written, and the file that notes its change."""

    entry: Entry
    note: Path | None
    is_refused: bool = False  # whether the store has refused its object: the next one bears no other


@dataclass(frozen=True, slots=True)
class _Waiting:
    pending: Pending
    written: asyncio.Future[str | None]
    context: contextvars.Context


class Grouping:
    """Gives `write` the entries for one object at a time; that returns the object's name, None where it is not there.

    A group is written to its end, also where those that wait for it are cancelled.
    """

    def __init__(self, write: Callable[[Sequence[Pending]], Awaitable[str | None]]) -> None:
        self._write = write
        self._coming = 0  # changes on their way
        self._in_vain = False  # whether the last object bore one entry only
        self._gathered: list[_Waiting] = []  # one object may bear them all
        self._timer: asyncio.TimerHandle | None = None
        self._last: asyncio.Task[None] | None = None  # writes the group that was begun last
        self._tasks = set[asyncio.Task[None]]()

    @contextlib.contextmanager
    def coming(self) -> Iterator[None]:
        """A change is on its way: most likely its entry comes soon after this context."""
        self._coming += 1
        try:
            yield
        finally:
            self._coming -= 1

    async def written(self, pending: Pending, *, alone: bool = False) -> str | None:
        """The name of the object that bears the entry, when it is written. With `alone` it bears no other."""
        waiting = _Waiting(pending, asyncio.get_running_loop().create_future(), contextvars.copy_context())
        if alone:
            self._begin([waiting])
        else:
            self._gather(waiting)
        return await waiting.written

    def _gather(self, waiting: _Waiting) -> None:
        entries = [one.pending.entry for one in (*self._gathered, waiting)]
        if group_size(entries) < len(entries):
            self._begin_gathered()
        self._gathered.append(waiting)
        if self._is_due():
            self._begin_gathered()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(LONGEST_WAIT, self._begin_gathered)

    def _is_due(self) -> bool:
        """Whether what was gathered waits for nothing."""
        return (self._coming < MANY or self._in_vain) and (self._last is None or self._last.done())

    def _begin_gathered(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None
        if self._gathered:
            self._in_vain = len(self._gathered) == 1
            self._last = self._begin(self._gathered)
            self._gathered = []

    def _begin(self, group: Sequence[_Waiting]) -> asyncio.Task[None]:
        """Write a group in a task of its own, on behalf of the request that came first."""
        task = asyncio.create_task(self._settle(group), context=group[0].context)
        self._tasks.add(task)
        task.add_done_callback(self._end)
        return task

    async def _settle(self, group: Sequence[_Waiting]) -> None:
        """Write a group, and tell those who still wait for it: the name, or what was raised."""
        try:
            name = await self._write([one.pending for one in group])
            for one in group:
                if not one.written.done():
                    one.written.set_result(name)
        except Exception as error:
            for one in group:
                if not one.written.done():
                    one.written.set_exception(error)
        finally:
            for one in group:
                one.written.cancel()  # where the service ends; else it is done

    def _end(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and self._is_due():
            self._begin_gathered()
