"""Remove uploads from the incoming container that were never finished, once they are older than their URLs."""

from __future__ import annotations

import asyncio
import logging
import time

from service.store.errors import StoreError
from service.store.incoming import IncomingContainer
from service.uploads.direct import DIRECT

PERIOD = 60.0  # seconds between two looks
SKEW = 30.0  # seconds that the clocks of nodes may differ

log = logging.getLogger(__name__)


class Unfinished:
    """The sweep of one incoming container. Every node does it: what is gone is passed over."""

    def __init__(self, incoming: IncomingContainer) -> None:
        self._incoming = incoming

    async def run(self) -> None:
        while True:
            try:
                await self.sweep(time.time() - SKEW)
            except StoreError as error:
                log.info("uploads that were never finished cannot be removed now: %s", error)
            await asyncio.sleep(PERIOD)

    async def sweep(self, now: float) -> int:
        """Remove what expired before `now` (seconds since the epoch); return how many objects that were."""
        swept = await self._incoming.sweep(now)
        if swept:
            DIRECT.labels("swept").inc(swept)
            log.info("%d uploads that were never finished, or copies of some, are removed", swept)
        return swept
