"""Ask the store for the images that are used: behind the answers, at a bounded rate, the most used first.

So a change that no gateway has made is seen while its image is used, also where listings lag behind. Where that costs
more than listing all originals does, these are listed and compared instead (see `revalidation`).
"""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Literal

from prometheus_client import Counter

from gateway.settings import Cache
from service.derivatives.derivatives import Derivatives
from service.journal.journal import Journal
from service.maintenance.costs import FREE, Costs
from service.maintenance.used import Interval, UsedImages
from service.originals.originals import Originals
from service.store.base import Store, StoredObject, Usage
from service.store.errors import NotFound, StoreError, Unavailable

ROUND = 25  # questions, after which the next most used images are looked for
AT_ONCE = 4
RATE = 100.0  # questions a second, at most
PAUSE = 2.0  # seconds after a failure of the store
LOG_EVERY = 600.0  # seconds between two log lines about a store that does not answer

ASKED = Counter(
    "image_gateway_revalidations",
    "Questions to the store about originals whose images are used. same: what is here is current; changed: it is not.",
    ["outcome"],
    registry=None,
)
for _outcome in ("same", "changed"):
    ASKED.labels(_outcome)

log = logging.getLogger(__name__)


Settle = Callable[[str], Awaitable[tuple[StoredObject | None, bool]]]
"""Asks the store for an image, and forgets what is old; what the store holds, and whether that was known."""


class Questions:
    """Asks for what is used. `usage` counts the originals; without it they are always listed besides, as that is cheap.
    `run` it as a task."""

    def __init__(
        self,
        used: UsedImages,
        settle: Settle,
        usage: Callable[[], Awaitable[Usage]] | None,
    ) -> None:
        self.mode: Literal["head", "list"] = "head" if usage else "list"
        self.originals: Usage | None = None  # what the store held at the last choice
        self.asked = 0
        self.failures = 0
        self.used = used
        self.costs = Costs()
        self.settle = settle
        self._usage = usage
        self._left = FREE if usage else sys.maxsize  # questions until the next choice, where originals are listed
        self._asked_before = 0  # as of the last choice
        self._chosen = asyncio.Event()

    async def choose(self) -> Literal["head", "list"]:
        """Choose the cheaper way for the next interval, by what came due in the last one. Raises StoreError."""
        if self._usage is None:
            return self.mode
        wanted, self._asked_before = self.asked - self._asked_before + len(self.used), self.asked
        self._left = FREE
        self._chosen.set()
        self.originals = await self._usage()  # which tells besides whether the store answers
        self.mode = "list" if self.costs.is_listing_cheaper(wanted, self.originals.images) else "head"
        return self.mode

    async def run(self) -> None:
        """Ask for what is due, until cancelled. Raises anything unexpected; it can be begun again."""
        logged = -LOG_EVERY
        while True:
            began = time.monotonic()
            names = self.used.most_used(ROUND if self.mode == "head" else min(ROUND, self._left))
            if not names:
                await self._wait()
                continue
            try:
                await self._ask(names)
            except Unavailable as error:
                self.failures += 1
                if began - logged >= LOG_EVERY:
                    logged = began
                    log.warning("what is used cannot be compared with the store: %s", error)
                await asyncio.sleep(PAUSE)
                continue
            await asyncio.sleep(max(0.0, began + len(names) / RATE - time.monotonic()))

    async def _wait(self) -> None:
        """Wait until there is something to ask."""
        event = self._chosen if len(self.used) else self.used.came
        event.clear()
        await event.wait()

    async def _ask(self, names: list[str]) -> None:
        """Ask for these. Raises Unavailable where none of them got an answer; else such a name is asked for again when
        all others were."""
        began, waiting, failed = time.monotonic(), iter(names), dict[str, Unavailable]()

        async def ask_some() -> None:
            for name in waiting:
                try:
                    await self._ask_for(name)
                except Unavailable as error:
                    failed[name] = error

        outcomes = await asyncio.gather(*(ask_some() for _ in range(AT_ONCE)), return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome
        if len(failed) == len(names):
            raise next(iter(failed.values()))
        self.failures += len(failed)
        for name in failed:
            self.used.put_last(name)
        if not failed:
            self.costs.asked(time.monotonic() - began, len(names))

    async def _ask_for(self, name: str) -> None:
        """Ask for one. What fails for a reason of its own is asked for at its next use. Raises Unavailable."""
        stored = None
        try:
            stored, same = await self.settle(name)
            ASKED.labels("same" if same else "changed").inc()
        except Unavailable:
            raise
        except (StoreError, OSError) as error:
            self.failures += 1
            log.warning("%r cannot be compared with the store: %s", name, error)
        self.used.asked(name, stored)
        self.asked += 1
        self._left -= 1


def opened_questions(
    options: Cache, store: Store, originals: Originals, derivatives: Derivatives, journal: Journal
) -> Questions:
    """The questions of a service. A store on this machine is listed besides, as it always was."""
    interval = Interval(options.revalidate, options.revalidate_max, lambda: journal.is_followed)

    async def settle(name: str) -> tuple[StoredObject | None, bool]:
        stored: StoredObject | None
        marker = derivatives.noted(name)
        try:
            stored = await originals.stat(name, fresh=True)
        except NotFound:
            stored = None
        same = marker is None or (stored is not None and marker.is_of(stored.etag, stored.modified))
        derivatives.settle(name, stored)
        return stored, same

    usage = store.originals.usage if store.remote else None
    return Questions(UsedImages(interval, originals.checked), settle, usage)
