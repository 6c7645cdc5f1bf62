"""Remove old entries of the journal where Swift's expirer does not run: rows that stay make each listing longer."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable

from gateway.journal import parse_entries, time_text
from service.store.base import Container
from service.store.errors import StoreError

INTERVAL = 3600.0  # seconds between two times, and up to as much again, so that nodes take turns
GRACE = 1800.0  # seconds that the expirer has for what is over
PAGE = 1000  # names of a listing at once

log = logging.getLogger(__name__)


class Trimming:
    """Removes entries that are older, in seconds, than `keep` says, by the store's time, which `now` gives. `run` it as
    a task."""

    def __init__(self, container: Container, now: Callable[[], float | None], keep: Callable[[], float]) -> None:
        self._container = container
        self._now = now
        self._keep = keep

    async def run(self) -> None:
        """Trim now and then, until cancelled."""
        while True:
            await asyncio.sleep(INTERVAL + secrets.randbelow(int(INTERVAL)))
            try:
                removed = await self.trim()
            except (StoreError, OSError) as error:
                log.warning("old entries of the journal cannot be removed: %s", error)
                continue
            if removed:
                log.info("%d old entries of the journal were removed; does Swift's expirer run?", removed)

    async def trim(self) -> int:
        """Remove what is over; how many entries that were. Raises StoreError, OSError."""
        now = self._now()
        if now is None:
            return 0
        removed, marker, end = 0, "", time_text(now - self._keep() - GRACE)
        while True:
            page = await self._container.list(marker=marker, limit=PAGE)
            names = [one.name for one in page.objects]
            over = [name for name in names if name < end and parse_entries(name)]
            if over:
                removed += await self._container.delete_all(over)
            if page.marker is None or not names or names[-1] >= end:
                return removed
            marker = page.marker
