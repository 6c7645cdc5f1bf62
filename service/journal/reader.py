"""Read the journal: what other nodes have changed.

Listings lag, and an entry may be written slowly. So a read begins before the newest entry, and each stretch is read
twice more. Names of objects that were seen are saved with the place that was read to: a restart goes on there. Those of
entries that could not be settled are saved, too, each as if its object bore no other.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path

from gateway.journal import Entry, common_prefix, names_alone, parse_entries, time_text
from service.cache.work import Work
from service.journal.digest import Digest
from service.journal.digests import Digests
from service.journal.stats import ENTRIES, JournalStats
from service.store.base import Container
from service.store.errors import NotFound, StoreError

SURE = 0.9  # of the time for which entries are kept, that an entry is certainly there
OVERLAP = 3.0  # seconds before the newest entry from which on each read begins
SOON = 10.0  # seconds after which a stretch is read for the second time
HEARD = 60.0  # seconds for which an entry that was seen, or named by a digest, may be named again
AHEAD = 3600.0  # seconds: no entry is later than that, by the store's clock
PAGE = 5000  # names of a listing at once
AT_ONCE = 32  # entries that are settled without letting anything else run
MOST_MISSED = 500_000  # new objects in one read: with so many, the oldest may have gone before their time
MOST_UNSETTLED = 10_000  # entries that are tried again
MOST_SEEN = 200_000  # names of objects that are remembered
SAVE_EVERY = 10.0  # seconds between two times at which the place is saved
LOG_EVERY = 600.0  # seconds between two log lines about a journal that cannot be read
REST = 4  # after a read that was slow, one part in so many of its time passes before the next one

log = logging.getLogger(__name__)


class Reader:
    """Reads entries from a container and gives those of other nodes to `settle`, each once, in the order of time.

    `missed` is called before a read where the journal does not tell any more of all that has changed since the last
    one: then only what is in doubt is read. `record` is the file that remembers the place. `now` gives the store's
    time, None before its first answer. Other times are in seconds. With `digests` one node reads for all.
    """

    def __init__(
        self,
        container: Container,
        record: Path,
        work: Work,
        node: str,
        now: Callable[[], float | None],
        settle: Callable[[Entry], Awaitable[None]],
        stats: JournalStats,
        *,
        interval: float,
        lag: float,
        keep: float,
        digests: Digests | None = None,
    ) -> None:
        self._container = container
        self._record = record
        self._work = work
        self._node = node
        self._now = now
        self._settle = settle
        self._stats = stats
        self._interval = interval
        self._lags = (SOON, lag)
        self._keep = keep
        self._digests = digests
        self.missed: Callable[[], Awaitable[None]] | None = None
        self._seen: OrderedDict[str, float] = OrderedDict()  # and when each was seen or named, by the store's clock
        self._unsettled = dict[str, None]()  # entries that the disk did not let be settled
        self._newest = 0.0  # the time of the newest entry
        self._again = [0.0, 0.0]  # the times up to which stretches were read again after SOON, and after `lag`
        self._read_to = 0.0  # the store's time when it was last read to its end
        self._jumped_to = 0.0  # the time before which entries were left out, since they were too many or gone
        self._began = self._saved = 0.0
        self._load()

    async def run(self) -> None:
        """Read again and again, until cancelled. Raises anything unexpected; it can be begun again."""
        logged = -LOG_EVERY
        while True:
            began = time.monotonic()
            try:
                await self.read()
            except (StoreError, OSError) as error:
                self._stats.failures += 1
                if time.monotonic() - logged >= LOG_EVERY:
                    logged = time.monotonic()
                    log.warning("the journal cannot be read, so other nodes' changes are seen later: %s", error)
            interval = self._digests.pause if self._digests else self._interval
            await asyncio.sleep(rest(time.monotonic() - began, interval))

    async def read(self) -> int:
        """Read what is new, and again what is due for that; how many objects were new. Raises StoreError, OSError."""
        if self._now() is None:
            await self._container.list(limit=1)  # its answer tells the store's time
        now = self._began = self._now() or time.time()
        if self.missed and not self._reaches(now):
            await self.missed()
            self._begin_anew(now)
        await self._heed_unsettled()
        digest = await self._digests.next(now) if self._digests else None
        if digest:
            count = await self._see_all(digest.names)
            for name in filter(self._seen.__contains__, digest.names):
                self._seen[name] = now  # the next digest names most of them again
        else:
            count = await self._read(max(self._newest - OVERLAP, now - self._keep), now + AHEAD)
        if self.missed and count > MOST_MISSED:
            await self.missed()
            self._begin_anew(now)
        for place, lag in enumerate(self._lags):
            since, until = self._again[place], now - lag
            if until - since >= SOON:
                count += await self._read_again(place, since, until, now, digest)
        if digest and self._digests:
            self._digests.took(digest)
        elif self._digests:
            await self._digests.listed(self._again)
        self._forget_seen(now)
        self._stats.count(count, time.monotonic())
        self._read_to = min(digest.read, now) if digest else now
        if time.monotonic() - self._saved >= SAVE_EVERY:
            self.save()
        return count

    def has_settled(self, name: str) -> bool:
        """Whether the entries of the object of this name are settled here: it was seen, or is so old that no read comes
        to it again. What was left out is not known to be."""
        entries = parse_entries(name)
        if not entries or len(self._unsettled) >= MOST_UNSETTLED:
            return False
        if any(one in self._unsettled for one in names_alone(name)):
            return False
        return name in self._seen or self._jumped_to <= entries[0].time < self._again[-1]

    def save(self) -> None:
        """Remember the place, and the entries that were seen."""
        self._saved = time.monotonic()
        document = {"read": self._read_to, "newest": self._newest, "again": self._again, "seen": list(self._seen)}
        document |= {"unsettled": list(self._unsettled), "jumped": self._jumped_to}
        with contextlib.suppress(OSError):
            temporary = self._record.with_suffix(".new")
            temporary.write_text(json.dumps(document), "utf-8")
            temporary.replace(self._record)

    def _reaches(self, now: float) -> bool:
        """Whether the journal certainly has all entries since the last read."""
        return now - self._read_to <= SURE * self._keep

    def _begin_anew(self, now: float) -> None:
        """Read only what is in doubt at this time of the store: nothing is here that is older."""
        self._newest = max(self._newest, now - max(self._lags))
        self._again = [max(one, self._newest) for one in self._again]
        self._read_to, self._jumped_to = now, self._newest
        if self._digests:
            self._digests.give_up()

    async def _read_again(self, place: int, since: float, until: float, now: float, digest: Digest | None) -> int:
        """Read a stretch again; how many objects were new. Since this node follows digests, their writer does it."""
        own = min(until, self._digests.joined) if self._digests and digest else until
        count = await self._read(max(since, now - self._keep), own) if since < own else 0
        self._again[place] = max(since, own, min(until, digest.again[place]) if digest else until)
        return count

    async def _read(self, since: float, until: float) -> int:
        """Read the entries between two times, all pages; how many objects were new."""
        count, end = 0, time_text(until)
        marker: str | None = time_text(since)
        while marker is not None:
            page = await self._container.list(prefix=common_prefix(since, until), marker=marker, limit=PAGE)
            marker = page.marker
            names = [found.name for found in page.objects]
            count += await self._see_all([name for name in names if name < end])
            if names and names[-1] >= end:
                break
        return count

    async def _see_all(self, names: Sequence[str]) -> int:
        """Settle the entries of those objects that are new; how many these were."""
        count = done = 0
        for name in names:
            entries = await self._see(name)
            count += entries > 0
            done += max(entries, 1)
            if done >= AT_ONCE:
                done = 0
                await asyncio.sleep(0)
        return count

    async def _see(self, name: str) -> int:
        """Settle the entries of an object, if it is new; how many these were."""
        entries = () if name in self._seen else parse_entries(name)
        if not entries:
            return 0
        if entries[0].node != self._node:
            for alone, entry in zip(names_alone(name), entries, strict=True):
                await self._heed(alone, entry)
            ENTRIES.labels("read").inc(len(entries))
        self._seen[name] = self._began
        if self._digests:
            self._digests.saw(name)
        self._newest = max(self._newest, entries[0].time)
        if len(self._seen) > MOST_SEEN:
            self._seen.popitem(last=False)
        return len(entries)

    async def _heed(self, name: str, entry: Entry) -> None:
        """Settle an entry; `name` is what its object is called, or would be if it bore no other. One that the disk does
        not let be settled holds up no other: each read tries it again."""
        try:
            whole = entry if entry.name is not None else await self._whole(name, entry)
            if whole:
                await self._settle(whole)
        except OSError as error:
            if name not in self._unsettled and len(self._unsettled) < MOST_UNSETTLED:
                self._unsettled[name] = None
                text = "what another node has changed (%s %r) cannot be removed here: %s"
                log.error(text, entry.kind, entry.name or name, error)
            return
        self._unsettled.pop(name, None)

    async def _heed_unsettled(self) -> None:
        """Try again what the disk did not let be settled."""
        for name in list(self._unsettled):
            for entry in parse_entries(name):
                await self._heed(name, entry)

    async def _whole(self, name: str, entry: Entry) -> Entry | None:
        """The entry with the name that its object holds; None where the object is gone."""
        with self._work.file(spare=self._work.troubled) as path:
            try:
                await self._container.fetch(name, path)
            except NotFound:
                return None
            return replace(entry, name=path.read_text("utf-8").removesuffix("\n"))

    def _forget_seen(self, now: float) -> None:
        """Forget the names of entries that no read comes to again."""
        oldest = time_text(min(now - max(self._lags), *self._again, self._newest - OVERLAP) - SOON)
        for name in [name for name, seen in self._seen.items() if name < oldest and seen < now - HEARD]:
            del self._seen[name]

    def _load(self) -> None:
        try:
            document = json.loads(self._record.read_text("utf-8"))
            self._newest = float(document["newest"])
            self._read_to = float(document.get("read", self._newest))
            self._again = [float(one) for one in document["again"]]
            self._seen = OrderedDict.fromkeys(map(str, document["seen"]), self._read_to)
            self._unsettled = dict.fromkeys(map(str, document.get("unsettled", [])))
            self._jumped_to = float(document.get("jumped", 0.0))
            if self._digests:
                self._digests.saw(*self._seen)
        except (OSError, ValueError, KeyError, TypeError):  # there is none yet: all of the journal is read
            return


def rest(took: float, interval: float) -> float:
    """Seconds between the end of a read that took so many and the next one. Reads begin every `interval`; those of a
    store that is slower leave it some time."""
    return max(interval - took, min(took, interval) / REST)
