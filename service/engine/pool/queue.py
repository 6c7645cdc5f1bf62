"""Who works next: bounded lanes in front of a few slots. It knows nothing of what the work is.

A *lane's* weight says how many of its jobs are let in for each job of a lane of weight 1 while both wait: light
work does not wait behind heavy work, and heavy work is never starved. Each lane has its own bound, so a flood in
one takes no place from the other.

Work carries a *key*. It goes by preference to the slot that had the key last, but no slot idles for a key's sake:
a slot that becomes free takes first what it knows, then what no other slot knows, then anything.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

PATIENCE = 8
"""How often the first of a lane may be overtaken because a slot knows the key of a later one."""

REMEMBERED = 4096
"""Keys whose last slot is remembered; the least recently used is forgotten."""

Slot = TypeVar("Slot")


class Full(Exception):
    """The lane has no room; nothing was queued."""


class Closed(Exception):
    """The queue is closed: no job is let in any more."""


@dataclass(eq=False, slots=True)
class _Waiter(Generic[Slot]):
    key: str
    turn: asyncio.Future[Slot]
    overtaken: int = 0


@dataclass(eq=False, slots=True)
class _Lane(Generic[Slot]):
    weight: int
    credit: int = 0
    waiting: list[_Waiter[Slot]] = field(default_factory=list)


class Queue(Generic[Slot]):
    """Hands slots (anything hashable) to work. `lanes` gives each lane's weight; `queue` bounds each one's waiters."""

    def __init__(self, lanes: Mapping[str, int], queue: int) -> None:
        self._lanes: dict[str, _Lane[Slot]] = {name: _Lane(weight) for name, weight in lanes.items()}
        self._queue = queue
        self._free: list[Slot] = []  # the longest idle first
        self._live: set[Slot] = set()
        self._homes: OrderedDict[str, Slot] = OrderedDict()
        self._closed = False

    @property
    def waiting(self) -> dict[str, int]:
        """How many wait, by lane."""
        return {name: len(lane.waiting) for name, lane in self._lanes.items()}

    def full(self, lane: str) -> bool:
        """Return True if the lane is full."""
        return not self._free and len(self._lanes[lane].waiting) >= self._queue

    async def acquire(self, lane: str, key: str) -> Slot:
        """Wait for a slot; the caller owns it until it `offer`s it again or `withdraw`s it.

        Raises Full at once when `queue` others wait in the lane, Closed when there is nothing to wait for.
        A caller that is cancelled leaves the queue.
        """
        if self._closed:
            raise Closed
        if self._free:
            home = self._homes.get(key)
            slot = home if home in self._free else self._free[0]
            assert slot is not None
            self._free.remove(slot)
            self._remember(key, slot)
            return slot
        if self.full(lane):
            raise Full
        waiting = self._lanes[lane].waiting
        waiter = _Waiter[Slot](key, asyncio.get_running_loop().create_future())
        waiting.append(waiter)
        try:
            return await waiter.turn
        except asyncio.CancelledError:
            if waiter in waiting:
                waiting.remove(waiter)
            elif not waiter.turn.cancelled() and waiter.turn.exception() is None:
                self.offer(waiter.turn.result())  # the slot came in the same instant
            raise

    def offer(self, slot: Slot) -> None:
        """A slot that is new, or free again: the next in turn gets it. Nothing is done once closed."""
        if self._closed:
            return
        self._live.add(slot)
        waiter = self._next(slot)
        if waiter is None:
            self._free.append(slot)
            return
        self._remember(waiter.key, slot)
        waiter.turn.set_result(slot)

    def withdraw(self, slot: Slot) -> None:
        """A slot that is gone, free or not."""
        self._live.discard(slot)
        if slot in self._free:
            self._free.remove(slot)

    def close(self) -> None:
        """Everyone who waits, and everyone who comes, gets Closed."""
        self._closed = True
        self._free.clear()
        for lane in self._lanes.values():
            for waiter in lane.waiting:
                if not waiter.turn.done():
                    waiter.turn.set_exception(Closed())
            lane.waiting.clear()

    def _next(self, slot: Slot) -> _Waiter[Slot] | None:
        lane = self._next_lane()
        if lane is None:
            return None
        first = lane.waiting[0]
        chosen = first
        if first.overtaken < PATIENCE:
            chosen = min(lane.waiting, key=lambda waiter: self._distance(waiter.key, slot))  # the oldest of the nearest
        if chosen is not first:
            first.overtaken += 1
        lane.waiting.remove(chosen)
        return chosen

    def _next_lane(self) -> _Lane[Slot] | None:
        """Smooth weighted round robin (as nginx's upstreams) over the lanes in which somebody waits."""
        for lane in self._lanes.values():
            # A waiter that was cancelled, but whose task has not run since, must not be given a slot.
            lane.waiting[:] = [waiter for waiter in lane.waiting if not waiter.turn.done()]
            lane.credit = lane.credit + lane.weight if lane.waiting else 0
        busy = [lane for lane in self._lanes.values() if lane.waiting]
        if not busy:
            return None
        lane = max(busy, key=lambda lane: lane.credit)
        lane.credit -= sum(other.weight for other in busy)
        return lane

    def _distance(self, key: str, slot: Slot) -> int:
        home = self._homes.get(key)
        if home is None or home not in self._live:
            return 1
        return 0 if home is slot else 2

    def _remember(self, key: str, slot: Slot) -> None:
        self._homes[key] = slot
        self._homes.move_to_end(key)
        if len(self._homes) > REMEMBERED:
            self._homes.popitem(last=False)
