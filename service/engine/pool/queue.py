"""Who works next: bounded lanes in front of a few slots. It knows nothing of what the work is.

A *lane's* weight says how many of its jobs are let in for each job of a lane of weight 1 while both wait: light
work does not wait behind heavy work, and heavy work is never starved. Each lane has its own bound, so a flood in
one takes no place from the other. A lane may also be bounded in how many slots it has at once.

Work carries a *key*. It goes by preference to the slot that had the key last, but no slot idles for a key's sake:
a slot that becomes free takes first what it knows, then what no other slot knows, then anything.
"""

from __future__ import annotations

import asyncio
import math
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

PATIENCE = 8
"""How often the first of a lane may be overtaken because a later one costs less, or a slot knows its key."""

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
    cost: int
    turn: asyncio.Future[Slot]
    overtaken: int = 0


@dataclass(eq=False, slots=True)
class _Lane(Generic[Slot]):
    weight: int
    most: float = math.inf
    credit: int = 0
    slots: set[Slot] = field(default_factory=set)
    waiting: list[_Waiter[Slot]] = field(default_factory=list)

    @property
    def has_room(self) -> bool:
        return len(self.slots) < self.most

    @property
    def wanting(self) -> int:
        """How many of those that wait would have a slot if there were more."""
        return int(min(len(self.waiting), self.most - len(self.slots)))


class Queue(Generic[Slot]):
    """Hands slots (anything hashable) to work. `lanes` gives each lane's weight, `most` how many slots it may
    have, where that is bounded; `queue` bounds each one's waiters, besides as many as slots are `missing`: those come
    when work waits for them."""

    def __init__(
        self,
        lanes: Mapping[str, int],
        queue: int,
        most: Mapping[str, int] | None = None,
        missing: Callable[[], int] = lambda: 0,
    ) -> None:
        bounds = most or {}
        self._missing = missing
        self._lanes: dict[str, _Lane[Slot]] = {
            name: _Lane(weight, bounds.get(name, math.inf)) for name, weight in lanes.items()
        }
        self._queue = queue
        self._free: list[Slot] = []  # new ones first, then the longest idle
        self._homes: OrderedDict[str, Slot] = OrderedDict()
        self._closed = False

    @property
    def waiting(self) -> dict[str, int]:
        """How many wait, by lane."""
        return {name: len(lane.waiting) for name, lane in self._lanes.items()}

    def full(self, lane: str) -> bool:
        """Return True if the lane is full."""
        return not self._admits(lane) and len(self._lanes[lane].waiting) >= self._queue + self._missing()

    def wanting(self, lane: str, key: str) -> int:
        """How many more slots are of use when one more job comes to the lane: for it and those that wait, where none is
        free for it, and one for another key, where no slot has had its own."""
        if self._closed:
            return 0
        at_once = sum(one.wanting for one in self._lanes.values()) + self._lanes[lane].has_room
        return (0 if self._admits(lane) else at_once) + (key not in self._homes)

    async def acquire(self, lane: str, key: str, cost: int = 0) -> Slot:
        """Wait for a slot; the caller owns it until it `offer`s it again or `withdraw`s it. Of those in the lane the
        one of the least `cost`, in any unit, comes first.

        Raises Full at once when the lane is full, Closed when there is nothing to wait for.
        A caller that is cancelled leaves the queue.
        """
        if self._closed:
            raise Closed
        if self._admits(lane):
            home = self._homes.get(key)
            slot = home if home in self._free else self._free[0]
            assert slot is not None
            self._free.remove(slot)
            self._lanes[lane].slots.add(slot)
            self._remember(key, slot)
            return slot
        if self.full(lane):
            raise Full
        waiting = self._lanes[lane].waiting
        waiter = _Waiter[Slot](key, cost, asyncio.get_running_loop().create_future())
        waiting.append(waiter)
        try:
            return await waiter.turn
        except asyncio.CancelledError:
            if waiter in waiting:
                waiting.remove(waiter)
            elif not waiter.turn.cancelled() and waiter.turn.exception() is None:
                self.offer(waiter.turn.result())  # the slot came in the same instant
            raise

    def offer(self, slot: Slot, *, new: bool = False) -> None:
        """A slot that is `new`, or free again: the next in turn gets it. Nothing is done once closed."""
        if self._closed:
            return
        self._release(slot)
        self._free.insert(0 if new else len(self._free), slot)
        self._let_in()

    def withdraw(self, slot: Slot) -> None:
        """A slot that is gone, free or not, is forgotten."""
        self._homes = OrderedDict((key, home) for key, home in self._homes.items() if home is not slot)
        self._release(slot)
        if slot in self._free:
            self._free.remove(slot)
        self._let_in()

    def take_back(self, slot: Slot) -> bool:
        """Withdraw a slot that is free. Return False, and do nothing, where it is not."""
        if slot not in self._free:
            return False
        self.withdraw(slot)
        return True

    def slots(self, lane: str) -> set[Slot]:
        """The slots that the lane has now."""
        return self._lanes[lane].slots

    def move(self, slot: Slot, lane: str) -> bool:
        """Count a slot that is in use to another lane from now on; return False where that has no room."""
        if not self._lanes[lane].has_room:
            return False
        self._release(slot)
        self._lanes[lane].slots.add(slot)
        return True

    def close(self) -> None:
        """Everyone who waits, and everyone who comes, gets Closed."""
        self._closed = True
        self._free.clear()
        self.turn_away()

    def turn_away(self) -> None:
        """Everyone who waits gets Closed."""
        for lane in self._lanes.values():
            for waiter in lane.waiting:
                if not waiter.turn.done():
                    waiter.turn.set_exception(Closed())
            lane.waiting.clear()

    def _admits(self, lane: str) -> bool:
        return bool(self._free) and self._lanes[lane].has_room

    def _release(self, slot: Slot) -> None:
        for lane in self._lanes.values():
            lane.slots.discard(slot)

    def _let_in(self) -> None:
        """Give the slots that are free, the last first, to those who wait and may have one."""
        while self._free and (lane := self._next_lane()):
            slot = self._free.pop()
            waiter = self._next(lane, slot)
            lane.slots.add(slot)
            self._remember(waiter.key, slot)
            waiter.turn.set_result(slot)

    def _next(self, lane: _Lane[Slot], slot: Slot) -> _Waiter[Slot]:
        first = lane.waiting[0]
        chosen = first
        if first.overtaken < PATIENCE:
            # The oldest of the nearest of the cheapest.
            chosen = min(lane.waiting, key=lambda waiter: (waiter.cost, self._distance(waiter.key, slot)))
        if chosen is not first:
            first.overtaken += 1
        lane.waiting.remove(chosen)
        return chosen

    def _next_lane(self) -> _Lane[Slot] | None:
        """Smooth weighted round robin (as nginx's upstreams) over the lanes in which jobs wait."""
        for lane in self._lanes.values():
            # A waiter that was cancelled, but whose task has not run since, must not be given a slot.
            lane.waiting[:] = [waiter for waiter in lane.waiting if not waiter.turn.done()]
            lane.credit = lane.credit + lane.weight if lane.waiting and lane.has_room else 0
        busy = [lane for lane in self._lanes.values() if lane.waiting and lane.has_room]
        if not busy:
            return None
        lane = max(busy, key=lambda lane: lane.credit)
        lane.credit -= sum(other.weight for other in busy)
        return lane

    def _distance(self, key: str, slot: Slot) -> int:
        home = self._homes.get(key)
        if home is None:
            return 1
        return 0 if home is slot else 2

    def _remember(self, key: str, slot: Slot) -> None:
        self._homes[key] = slot
        self._homes.move_to_end(key)
        if len(self._homes) > REMEMBERED:
            self._homes.popitem(last=False)
