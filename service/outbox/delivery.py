"""Deliver the messages of one receiver: several at once, each again and again until it is taken or too old."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from prometheus_client import Counter

from service.outbox.box import DEAD, OUTBOX, Box
from service.outbox.change import Message, read
from service.outbox.due import DueQueue
from service.outbox.sending import Sender, SendFailed, Unwanted
from service.store.errors import NotFound, StoreError

AT_ONCE = 8  # deliveries to one receiver
MOST_HELD = 10_000  # messages in memory, of one receiver; those beyond are found in the store later
FIRST, LONGEST = 1.0, 300.0  # seconds before the second attempt, twice as many before each following one
LONGEST_ASKED = 3600.0  # seconds that a receiver may ask for
LAST = 5.0  # seconds that the end of the service waits for deliveries under way
SHOWN = 1000  # bytes of a dead letter in the log
REMIND = 600.0  # seconds until failures of one receiver are logged again

DELIVERED = Counter("image_gateway_outbox_delivered", "Messages that were taken.", ["kind"], registry=None)
FAILED = Counter("image_gateway_outbox_failures", "Attempts to deliver that failed.", ["kind"], registry=None)
DEAD_LETTERS = Counter("image_gateway_outbox_dead", "Messages that were given up.", ["kind"], registry=None)
UNWRITTEN = Counter(
    "image_gateway_outbox_unwritten", "Messages that the store did not take; the end of the process loses them.",
    ["kind"], registry=None,
)  # fmt: skip
COUNTERS = (DELIVERED, FAILED, DEAD_LETTERS, UNWRITTEN)

log = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class Waiting:
    """A message on its way. `made` is in milliseconds since the epoch. Without `text` it is read from the store."""

    id: str
    made: int
    text: bytes | None = field(default=None, repr=False)
    attempts: int = 0
    written: bool = True
    taken: bool = False

    @property
    def age(self) -> float:
        """Seconds since it was written."""
        return max(0.0, time.time() - self.made / 1000)


class Delivery:
    """The messages for `sender`. `ended` is called with the id of each that is delivered, given up, or gone."""

    def __init__(self, sender: Sender, box: Box, give_up: float, ended: Callable[[str], None]) -> None:
        self.sender = sender
        self._box = box
        self._give_up = give_up
        self._ended = ended
        self._queue: DueQueue[Waiting] = DueQueue()
        self._held: dict[str, Waiting] = {}
        self._failures = 0  # since the last message that was taken
        self._logged_at = -REMIND
        self._tasks: list[asyncio.Task[None]] = []
        self._under_way = 0
        self._closing = False
        for counter in COUNTERS:
            counter.labels(sender.kind)  # shown before there is one, so that the first is a rise

    @property
    def waiting(self) -> list[Waiting]:
        return list(self._held.values())

    def __contains__(self, id: str) -> bool:
        return id in self._held

    def add(self, waiting: Waiting) -> bool:
        """Deliver it as soon as the sender may; False where there are too many already."""
        if waiting.id in self._held:
            return True
        if len(self._held) >= MOST_HELD:
            return False
        self._held[waiting.id] = waiting
        self._queue.add(waiting, max(0.0, self.sender.delay - waiting.age))
        return True

    def start(self) -> None:
        self._tasks = [asyncio.create_task(self._work()) for _ in range(AT_ONCE)]

    async def close(self) -> None:
        """Begin nothing more, and wait a little for what is under way."""
        self._closing = True
        end = time.monotonic() + LAST
        while self._under_way and time.monotonic() < end:  # noqa: ASYNC110  # at the end of the service, once
            await asyncio.sleep(0.02)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        lost = sum(not one.written for one in self._held.values())
        if lost:
            log.error("%s: %d messages that the store did not take are lost", self.sender.title, lost)

    async def _work(self) -> None:
        while True:
            waiting = await self._queue.next()
            if self._closing:
                return
            self._under_way += 1
            try:
                await self._attempt(waiting)
            finally:
                self._under_way -= 1

    async def _attempt(self, waiting: Waiting) -> None:
        waiting.attempts += 1
        try:
            if not waiting.taken:
                await self._send(waiting)
            await self._box.remove(OUTBOX + waiting.id)
        except NotFound:  # another node has delivered it
            self._forget(waiting)
        except (Unwanted, ValueError) as error:
            await self._bury(waiting, error)
        except (SendFailed, StoreError, OSError) as error:
            await self._failed(waiting, error)
        except Exception as error:
            log.exception("%s: a message could not be sent", self.sender.title)
            await self._failed(waiting, error)
        else:
            self._forget(waiting)

    async def _send(self, waiting: Waiting) -> None:
        await self.sender.send(Message(waiting.id, read(await self._text(waiting))))
        waiting.taken = True
        DELIVERED.labels(self.sender.kind).inc()
        if self._failures and self._logged_at > -REMIND:
            log.warning("%s takes messages again; %d wait", self.sender.title, len(self._held) - 1)
        self._failures, self._logged_at = 0, -REMIND

    async def _text(self, waiting: Waiting) -> bytes:
        """The object of a message. Raises NotFound."""
        return await self._box.read(OUTBOX + waiting.id) if waiting.text is None else waiting.text

    async def _failed(self, waiting: Waiting, error: Exception) -> None:
        """Try again later, unless the message is too old."""
        if not waiting.taken:
            FAILED.labels(self.sender.kind).inc()
            self._failures += 1
            self._remind(error)
        if waiting.age >= self._give_up and not waiting.taken:
            await self._bury(waiting, error)
            return
        if waiting.written:
            waiting.text = None
        asked = min(getattr(error, "retry_after", 0.0), LONGEST_ASKED)
        self._queue.add(waiting, max(pause(waiting.attempts), asked))

    def _remind(self, error: Exception) -> None:
        if time.monotonic() - self._logged_at < REMIND:
            return
        self._logged_at = time.monotonic()
        log.warning(
            "%s does not take messages: %s; %d wait, and are sent again", self.sender.title, error, len(self._held)
        )

    async def _bury(self, waiting: Waiting, error: Exception) -> None:
        """Make it a dead letter, and say so."""
        try:
            text = await self._text(waiting)
            await self._box.put(DEAD + waiting.id, text)
            await self._box.remove(OUTBOX + waiting.id)
        except NotFound:
            self._forget(waiting)
            return
        except (StoreError, OSError) as trouble:
            log.warning("%s: a message cannot be given up yet: %s", self.sender.title, trouble)
            self._queue.add(waiting, LONGEST)
            return
        DEAD_LETTERS.labels(self.sender.kind).inc()
        log.error(
            "%s: a message is given up after %d %s in %.0f s: %s; it lies in %s%s and says: %s",
            *(self.sender.title, waiting.attempts, "attempt" if waiting.attempts == 1 else "attempts", waiting.age),
            *(error, DEAD, waiting.id),
            text[:SHOWN].decode(errors="replace"),
        )
        self._forget(waiting)

    def _forget(self, waiting: Waiting) -> None:
        self._held.pop(waiting.id, None)
        self._ended(waiting.id)


def pause(attempts: int) -> float:
    """Seconds before the next attempt after so many: twice as many each time, up to LONGEST, a random half less."""
    longest = min(LONGEST, FIRST * 2.0 ** min(attempts - 1, 32))
    return longest * (0.5 + secrets.randbelow(1001) / 2000)
