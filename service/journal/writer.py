"""Write the journal: each change through this node, for the other nodes.

The name of what is about to change is noted in a file first, and the note goes when the entry is there. So a change
whose process was killed, or whose outcome is not known, has an entry too: it says that something changed, and not what.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import secrets
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from pathlib import Path

from gateway.journal import ANY_NODE, Entry, Kind, entry_name
from service.journal.notes import Notes, noted
from service.journal.stats import ENTRIES
from service.store.base import Container, NewObject, StoredObject
from service.store.errors import Corrupt, Forbidden, StoreError, Unavailable

UNCERTAIN = (Unavailable, Corrupt, OSError)  # failures of a change that do not tell whether it was made
SLOW = 10  # an entry whose PUT took longer than one part in so many of `lag` is written once more
PAUSE = 2.0  # seconds between two tries of entries that could not be written
CONTENT_TYPE = "text/plain; charset=utf-8"
MOST_LATE = 10_000  # entries that wait while the journal cannot be written; other nodes find more by comparison
LOG_EVERY = 60.0  # seconds between two log lines about entries that cannot be written

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Change:
    """A change that is being made; `stored` is what the store holds after it, as soon as that is known. After its
    context `entry` is the name of its entry, None where that could not be written yet."""

    stored: StoredObject | None = None
    entry: str | None = None


class Writer:
    """Writes entries to a container, and notes in a folder what has none yet. `node` are digits of hex.

    `now` gives the store's time in seconds since the epoch, None before its first answer. `keep` gives for
    how many seconds an entry is kept, `lag` is in seconds.
    """

    def __init__(
        self,
        container: Container,
        notes: Path,
        node: str,
        now: Callable[[], float | None],
        *,
        keep: Callable[[], float],
        lag: float,
    ) -> None:
        self._container = container
        self._notes = Notes(notes)
        self._node = node
        self._now = now
        self._keep = keep
        self._lag = lag
        self._late: deque[tuple[Entry, Path | None]] = deque()
        self._is_late = asyncio.Event()
        self._logged = -LOG_EVERY

    def __len__(self) -> int:
        """How many entries could not be written yet."""
        return len(self._late)

    @contextlib.asynccontextmanager
    async def change(self, kind: Kind, name: str) -> AsyncIterator[Change]:
        """Make a change within this context. When it ends, the entry is written, or is going to be; it is not where the
        store said that it made no change. Never raises anything of its own."""
        note = self._notes.make(kind, name)
        change = Change()
        try:
            yield change
        except Forbidden:
            self._notes.remove(note)
            raise
        except UNCERTAIN:
            await self._write(Entry(kind, name, is_known=False), note)
            raise
        except asyncio.CancelledError:  # a client has left, or the service ends, whose next start finds the note
            self._postpone(Entry(kind, name, is_known=False), note)
            raise
        except BaseException:
            self._notes.remove(note)
            raise
        stored = change.stored
        entry = Entry(kind, name, stored.etag, int(stored.modified)) if stored else Entry(kind, name)
        change.entry = await self._write(entry, note)

    async def run(self) -> None:
        """Write what was noted before this start, and then what could not be written at once, until cancelled."""
        for note in self._notes.of_former_processes():
            self._postpone(noted(note), note)
        while True:
            await self._is_late.wait()
            self._is_late.clear()
            for _ in range(len(self._late)):
                await self._write(*self._late.popleft())
            if self._late:
                await asyncio.sleep(PAUSE)

    async def _write(self, entry: Entry, note: Path | None) -> str | None:
        """Write an entry, now or later; its name if it is written."""
        try:
            name = await self._put(entry)
        except (StoreError, OSError) as error:
            ENTRIES.labels("failed").inc()
            if time.monotonic() - self._logged >= LOG_EVERY:
                self._logged = time.monotonic()
                log.warning("other nodes learn later of a change of %r: no entry in the journal: %s", entry.name, error)
            self._postpone(entry, note)
            return None
        except asyncio.CancelledError:
            self._postpone(entry, note)
            raise
        self._notes.remove(note)
        return name

    async def _put(self, entry: Entry) -> str:
        """Write an entry; its name. One that took long is written once more: readers may have passed its time by then.
        The time is that of each try."""
        node = self._node if entry.is_known else ANY_NODE
        if self._now() is None:
            await self._container.list(limit=1)  # its answer tells the store's time
        for _ in range(2):
            began = time.monotonic()
            name = await self._put_once(replace(entry, time=self._now() or time.time(), node=node))
            if time.monotonic() - began <= self._lag / SLOW:
                break
        return name

    async def _put_once(self, entry: Entry) -> str:
        text = (entry.name or "").encode() or b"\n"  # never empty: a listing would ask for the length of what is
        digest = hashlib.md5(text, usedforsecurity=False).hexdigest()
        name = entry_name(entry, secrets.token_hex(8))
        await self._container.put(NewObject(name, text, CONTENT_TYPE, digest, delete_after=int(self._keep())))
        ENTRIES.labels("written").inc()
        return name

    def _postpone(self, entry: Entry, note: Path | None) -> None:
        if len(self._late) >= MOST_LATE:
            self._notes.remove(note)
            return
        self._late.append((entry, note))
        self._is_late.set()
