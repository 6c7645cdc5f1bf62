"""Tell others of changes, at least once each: webhooks, a CDN.

A message is an object in the journal container. It is written before the change, so that a process that ends at any
moment loses none, and removed once its receiver has taken it. What is written and not delivered is found again by
`adoption`. No answer waits for a receiver.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Coroutine, Sequence
from typing import Any

from service.outbox.adoption import Adoption
from service.outbox.box import DEAD, OUTBOX, Box
from service.outbox.change import Change, address_of, new_id, written
from service.outbox.delivery import COUNTERS, DEAD_LETTERS, UNWRITTEN, Delivery, Waiting
from service.outbox.recent import Recent
from service.outbox.sending import Sender
from service.store.errors import (
    Exists,
    Forbidden,
    NotArrived,
    NotAsAnnounced,
    NotFound,
    PreconditionFailed,
    ReadOnly,
    StoreError,
    StoreFull,
    Unholdable,
)

__all__ = ["COUNTERS", "Change", "Outbox"]

PATIENCE = 5.0  # seconds that a change waits for its message to be written
UNMADE = (
    *(Exists, Forbidden, NotArrived, NotAsAnnounced, NotFound, PreconditionFailed, ReadOnly, StoreFull),
    Unholdable,
)
"""Failures that say that the change was not made."""

log = logging.getLogger(__name__)


class Outbox:
    """The messages of this node for these receivers. Without a box there are none, and it only remembers changes."""

    def __init__(
        self,
        box: Box | None,
        senders: Sequence[Sender],
        node: str,
        *,
        give_up: float,
        take_over: float,
        keep_dead: float,
    ) -> None:
        self.recent = Recent()
        self._box = box
        self._node = node
        self._give_up = give_up
        self._under_way: set[str] = set()  # ids of messages whose change is being made
        self._later: set[asyncio.Task[None]] = set()
        self._deliveries = (
            {sender.id: Delivery(sender, box, give_up, self._under_way.discard) for sender in senders} if box else {}
        )
        self._adoption = (
            Adoption(box, node, take_over, keep_dead, self._leaves, lambda: self.oldest, self._adopt) if box else None
        )

    @property
    def is_on(self) -> bool:
        """Whether there is anybody to tell."""
        return bool(self._deliveries)

    @property
    def waiting(self) -> dict[str, int]:
        """How many messages wait here, by the kind of receiver."""
        found: dict[str, int] = {}
        for delivery in self._deliveries.values():
            found[delivery.sender.kind] = found.get(delivery.sender.kind, 0) + len(delivery.waiting)
        return found

    @property
    def oldest(self) -> float:
        """The age in seconds of the oldest message that waits here, or whose change is being made; 0 if there is
        none."""
        waiting = [one for delivery in self._deliveries.values() for one in delivery.waiting]
        making = [Waiting(id, address.made) for id in self._under_way if (address := address_of(id))]
        return max((one.age for one in (*waiting, *making)), default=0.0)

    @contextlib.asynccontextmanager
    async def telling(self, change: Change) -> AsyncIterator[None]:
        """Make the change in this context: its messages are written before, and sent after it.

        A message that cannot be written in PATIENCE seconds is sent all the same, unless this process ends first. Where
        the change fails so that it may have been made nevertheless, the messages that were written are sent.
        """
        messages = await self._write(change)
        try:
            yield
        except UNMADE:
            self._withdraw(messages)
            raise
        except BaseException:
            self._send([one for one in messages if one.written])
            self._under_way.difference_update(one.id for one in messages)
            raise
        self.recent.add(change)
        self._send(messages)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Deliver while the context lasts."""
        if self._adoption is None:
            yield
            return
        for delivery in self._deliveries.values():
            delivery.start()
        looking = asyncio.create_task(self._adoption.run())
        try:
            yield
        finally:
            looking.cancel()
            await asyncio.gather(looking, *self._later, return_exceptions=True)
            await asyncio.gather(*(delivery.close() for delivery in self._deliveries.values()))

    async def _write(self, change: Change) -> list[Waiting]:
        wanting = [delivery for delivery in self._deliveries.values() if delivery.sender.wants(change.kind)]
        ids = [new_id(self._node, delivery.sender.id) for delivery in wanting]
        self._under_way.update(ids)
        writing = (self._write_one(change, *one) for one in zip(ids, wanting, strict=True))
        try:
            return list(await asyncio.gather(*writing))
        except BaseException:  # a client that leaves: what is written is found in the store, and sent
            self._under_way.difference_update(ids)
            raise

    async def _write_one(self, change: Change, id: str, delivery: Delivery) -> Waiting:
        text, address = written(change), address_of(id)
        assert self._box is not None and address is not None
        waiting = Waiting(id, address.made, text)
        try:
            async with asyncio.timeout(PATIENCE):
                await self._box.put(OUTBOX + id, text)
        except (StoreError, OSError, TimeoutError) as error:
            waiting.written = False
            UNWRITTEN.labels(delivery.sender.kind).inc()
            log.error(
                "the message for %s that %s is %s cannot be written; it is lost if the process ends first: %s",
                *(delivery.sender.title, change.subject, change.kind, error or "the store takes too long"),
            )
        return waiting

    def _send(self, messages: Sequence[Waiting]) -> None:
        for one in messages:
            self._under_way.discard(one.id)
            self._deliver(one)

    def _deliver(self, waiting: Waiting) -> None:
        address = address_of(waiting.id)
        delivery = self._deliveries.get(address.receiver) if address else None
        if delivery is None:
            self._soon(self._bury(waiting.id))
        elif not delivery.add(waiting) and not waiting.written:
            log.error("%s: too many messages wait; one that the store did not take is lost", delivery.sender.title)

    def _withdraw(self, messages: Sequence[Waiting]) -> None:
        for one in messages:
            self._soon(self._remove(one.id))

    async def _remove(self, id: str) -> None:
        assert self._box is not None
        try:
            await self._box.remove(OUTBOX + id)
        except (StoreError, OSError) as error:
            log.warning("the message %s tells of a change that was not made, and stays: %s", id, error)
        finally:
            self._under_way.discard(id)

    def _leaves(self, id: str) -> bool:
        """Whether a message is to be left where it is: this node works on it, or, until it is old, knows no such
        receiver."""
        address = address_of(id)
        if id in self._under_way or address is None:
            return True
        delivery = self._deliveries.get(address.receiver)
        return id in delivery if delivery else Waiting(id, address.made).age < self._give_up

    def _adopt(self, id: str) -> None:
        address = address_of(id)
        if address:
            self._deliver(Waiting(id, address.made))

    async def _bury(self, id: str) -> None:
        """Make a message whose receiver is not configured any more a dead letter."""
        assert self._box is not None
        try:
            await self._box.put(DEAD + id, await self._box.read(OUTBOX + id))
            await self._box.remove(OUTBOX + id)
        except (StoreError, OSError) as error:
            log.warning("the message %s, whose receiver is not configured, cannot be given up: %s", id, error)
            return
        DEAD_LETTERS.labels("unknown").inc()
        log.error("a message is given up, since its receiver is not configured any more; it lies in %s%s", DEAD, id)

    def _soon(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._later.add(task)
        task.add_done_callback(self._later.discard)
