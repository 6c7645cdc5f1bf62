"""Write the journal: each change through this node, for the other nodes.

The name of what is about to change is noted in a file first, and the note goes when the entry is there. So a change
whose process was killed, or whose outcome is not known, has an entry too: it says that something changed, and not what.
Entries of changes that end at once share an object (`grouping`).
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import secrets
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from itertools import islice, takewhile
from pathlib import Path

from gateway.journal import ANY_NODE, RANDOM, Entry, Kind, group_size, object_name
from service.journal.grouping import Grouping, Pending
from service.journal.notes import Notes, noted
from service.journal.stats import ENTRIES, OBJECTS
from service.store.base import Container, NewObject, StoredObject
from service.store.errors import Corrupt, Forbidden, StoreError, Unavailable

UNCERTAIN = (Unavailable, Corrupt, OSError)  # failures of a change that do not tell whether it was made
SLOW = 10  # an entry whose PUT took longer than one part in so many of `lag` is written once more
PAUSE = 2.0  # seconds between two tries of entries that could not be written
CONTENT_TYPE = "text/plain; charset=utf-8"
MOST_AT_ONCE = 100  # late entries to look at for one object; its name has room for fewer
MOST_LATE = 10_000  # entries that wait while the journal cannot be written; other nodes find more by comparison
LOG_EVERY = 60.0  # seconds between two log lines about entries that cannot be written

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Change:
    """A change that is being made; `stored` is what the store holds after it, as soon as that is known. After its
    context `entry` is the name of the object that bears its entry, None where that could not be written yet."""

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
        self._grouping = Grouping(self._write)
        self.coming = self._grouping.coming
        self._late = deque[Pending]()
        self._is_late = asyncio.Event()
        self._logged = -LOG_EVERY

    def __len__(self) -> int:
        """How many entries could not be written yet."""
        return len(self._late)

    @contextlib.asynccontextmanager
    async def change(self, kind: Kind, name: str, *, alone: bool = False) -> AsyncIterator[Change]:
        """Make a change within this context. When it ends, the entry is written, or is going to be; it is not where the
        store said that it made no change. With `alone` no other entry is in its object. Never raises anything of its
        own."""
        note = self._notes.make(kind, name)
        change = Change()
        try:
            with self.coming():
                yield change
        except Forbidden:
            self._notes.remove(note)
            raise
        except UNCERTAIN:
            await self._grouping.written(self._pending(Entry(kind, name, is_known=False), note))
            raise
        except asyncio.CancelledError:  # a client has left, or the service ends, whose next start finds the note
            self._postpone(self._pending(Entry(kind, name, is_known=False), note))
            raise
        except BaseException:
            self._notes.remove(note)
            raise
        stored = change.stored
        entry = Entry(kind, name, stored.etag, int(stored.modified)) if stored else Entry(kind, name)
        change.entry = await self._grouping.written(self._pending(entry, note), alone=alone)

    async def run(self) -> None:
        """Write what was noted before this start, and then what could not be written at once, until cancelled."""
        for note in self._notes.of_former_processes():
            self._postpone(self._pending(noted(note), note))
        while True:
            await self._is_late.wait()
            self._is_late.clear()
            await self._write_late()
            if self._late:
                await asyncio.sleep(PAUSE)

    def _pending(self, entry: Entry, note: Path | None) -> Pending:
        return Pending(replace(entry, node=self._node if entry.is_known else ANY_NODE), note)

    async def _write(self, group: Sequence[Pending]) -> str | None:
        """Write entries into one object, now or later; its name if it is written."""
        name, is_refused = await self._try(group)
        self._end(group, is_written=name is not None, is_refused=is_refused)
        return name

    async def _write_late(self) -> None:
        """Try all entries that are late once. Those under way are late, too."""
        left = len(self._late)
        while left:
            some = list(islice(self._late, min(left, MOST_AT_ONCE)))
            shared = list(takewhile(lambda one: not one.is_refused, some))
            group = shared[: group_size([one.entry for one in shared])] if shared else some[:1]
            name, is_refused = await self._try(group)
            for _ in group:
                self._late.popleft()
            self._end(group, is_written=name is not None, is_refused=is_refused)
            left -= len(group)

    async def _try(self, group: Sequence[Pending]) -> tuple[str | None, bool]:
        """Put one object with these entries; its name, None where that failed, and whether the store refused it."""
        entries = [one.entry for one in group]
        try:
            return await self._put(entries), False
        except (StoreError, OSError) as error:
            ENTRIES.labels("failed").inc(len(group))
            if time.monotonic() - self._logged >= LOG_EVERY:
                self._logged = time.monotonic()
                text = "other nodes learn later of a change of %s: no entry in the journal: %s"
                log.warning(text, ", ".join(repr(entry.name) for entry in entries), error)
            return None, not isinstance(error, Unavailable | OSError)

    async def _put(self, entries: Sequence[Entry]) -> str:
        """Put an object; its name. One that took long is put once more: readers may have passed its time by then. The
        time is that of each try."""
        if self._now() is None:
            await self._container.list(limit=1)  # its answer tells the store's time
        for _ in range(2):
            began = time.monotonic()
            now = self._now() or time.time()
            name = await self._put_once([replace(entry, time=now) for entry in entries])
            if time.monotonic() - began <= self._lag / SLOW:
                break
        return name

    async def _put_once(self, entries: Sequence[Entry]) -> str:
        name = object_name(entries, secrets.token_hex(RANDOM // 2))
        text = (entries[0].name or "").encode() or b"\n"  # never empty: a listing would ask for the length of what is
        digest = hashlib.md5(text, usedforsecurity=False).hexdigest()
        await self._container.put(NewObject(name, text, CONTENT_TYPE, digest, delete_after=int(self._keep())))
        ENTRIES.labels("written").inc(len(entries))
        OBJECTS.inc()
        return name

    def _end(self, group: Sequence[Pending], *, is_written: bool, is_refused: bool) -> None:
        for one in group:
            if is_written:
                self._notes.remove(one.note)
            else:
                self._postpone(replace(one, is_refused=is_refused))

    def _postpone(self, pending: Pending) -> None:
        if len(self._late) >= MOST_LATE:
            self._notes.remove(pending.note)
            return
        self._late.append(pending)
        self._is_late.set()
