"""Share the reading of the journal: one node lists it for all, and writes what it finds into one object.

A GET of that object costs Swift less than a listing, and much less than the rows that each node lists several times.
Any node may write it. One that finds none that is new waits for a random time and then begins a tenure; where several
do, the one that wrote last goes on, and the others give up at their next look.

Nothing depends on it. A digest only counts for a node if it joins on to what the node already has: then it has each
entry that the writer has seen. What was in doubt when the node joined, it reads again itself. Where there is no digest,
or one that is late or does not join on, the node lists the journal.
"""

from __future__ import annotations

import contextlib
import hashlib
import secrets
import time
from collections import deque
from collections.abc import Sequence

from prometheus_client import Counter

from service.cache.work import Work
from service.journal.digest import Digest, packed, unpacked
from service.journal.peers import Peers
from service.store.base import Container, NewObject
from service.store.errors import StoreError

OBJECT = "digest"  # its name, which no entry has
CONTENT_TYPE = "application/gzip"
OFTEN = 8  # times in each interval that the writer reads, and
BEAT = 2  # times in it that it writes a digest even where nothing is new
LATE = 1.5  # intervals, and
LATEST = 3.0  # seconds at least, after which a digest counts no more
WINDOW = 4.0  # intervals, and
WIDEST = 8.0  # seconds at least, for which an entry is in the digests
CLOCKS = 3.0  # seconds by which the times of two nodes certainly agree
SPREAD = 5.0  # intervals in which some node begins a tenure when there is none
CLOCK_EVERY = 60.0  # seconds after which a node that follows digests lists one row: the answer tells the store's time
MOST_NAMES = 30_000  # of a digest, so that the longest ones do not pass its MOST; where there are more, it covers less

DIGESTS = Counter(
    "image_gateway_journal_digests",
    "Digests of the journal. written: by this node; read: of another; missed: none served, so a listing did.",
    ["outcome"],
    registry=None,
)
for _outcome in ("written", "read", "missed"):
    DIGESTS.labels(_outcome)


class Digests:
    """The digests in a container, as one node reads and writes them. Every `interval` seconds a node reads one.

    With `peers` it does so only while there are many of them.
    """

    def __init__(self, container: Container, work: Work, interval: float, peers: Peers | None = None) -> None:
        self._container = container
        self._work = work
        self._interval = interval
        self._peers = peers
        self._pays = peers is None  # whether it is worth while, as of the last read
        self._late = max(LATE * interval, LATEST)
        self._kept = max(WINDOW * interval, WIDEST)
        self.joined = float("inf")  # up to this time this node reads again itself
        self._followed: tuple[str, float] | None = None  # a tenure, and the time up to which its digests were taken
        self._offered: Digest | None = None  # of another node, as of the last look
        self._tenure = ""  # of this node while it writes
        self._window = deque[tuple[float, str]]()  # when reads began, and what was new in them
        self._began = self._since = self._written = 0.0
        self._listed = time.monotonic()
        self._vacant: float | None = None  # when this node begins a tenure, monotonic

    @property
    def pause(self) -> float:
        """Seconds until the next read."""
        return self._interval / OFTEN if self._tenure else self._interval

    async def next(self, now: float) -> Digest | None:
        """The digest that this node can take in place of a listing; None where it has to list."""
        self._pays = self._peers is None or self._peers.are_many(now)
        if not self._pays:
            self._offered = self._vacant = None
            self.give_up()
            return None
        if time.monotonic() - self._listed > CLOCK_EVERY:
            self._listed = time.monotonic()
            await self._container.list(limit=1)
        self._began = now
        found = await self._look()
        is_fresh = found is not None and abs(now - found.read) <= self._late
        if found and is_fresh and found.tenure != self._tenure:
            self._offered, self._vacant = found, None
            self._give_up()
        else:
            self._offered = None
        follows = self._offered and self._followed and self._followed[0] == self._offered.tenure
        if self._offered and follows and self._followed and self._offered.since <= self._followed[1]:
            return self._offered
        self.leave()
        if not self._tenure:
            DIGESTS.labels("missed").inc()
        return None

    def took(self, digest: Digest) -> None:
        """This node has settled all that the digest names."""
        self._followed = digest.tenure, max(digest.read, self._followed[1] if self._followed else 0.0)
        DIGESTS.labels("read").inc()

    def saw(self, *names: str) -> None:
        """Entries were new in the read that is under way, or in the minute before a restart."""
        for name in names:
            if self._peers:
                self._peers.heard_of(name)
            if self._tenure:
                self._window.append((self._began, name))

    async def listed(self, again: Sequence[float]) -> None:
        """The journal was listed: from now on follow the digest that was offered, or write one if there is none."""
        if not self._pays:
            return
        if self._offered:
            if self._offered.since <= self._began:
                self._followed, self.joined = (self._offered.tenure, self._began), self._began + CLOCKS
            return
        if not self._tenure:
            if self._vacant is None:
                self._vacant = time.monotonic() + secrets.randbelow(1000) / 1000 * SPREAD * self._interval
            if time.monotonic() < self._vacant:
                return
            self._tenure, self._since, self._written, self._vacant = secrets.token_hex(8), self._began, 0.0, None
        await self._share(again)

    def leave(self) -> None:
        """Follow no digest: this node reads again itself what is in doubt."""
        self._followed, self.joined = None, float("inf")

    def give_up(self) -> None:
        """Neither follow nor write: this node does not know all that was in the journal lately."""
        self.leave()
        self._give_up()

    def _give_up(self) -> None:
        self._tenure = ""
        self._window.clear()

    async def _look(self) -> Digest | None:
        """The digest that is there; None where there is none that can be read."""
        with self._work.file(spare=self._work.troubled) as path:
            try:
                await self._container.fetch(OBJECT, path)
                return unpacked(path.read_bytes())
            except (StoreError, OSError):
                return None

    async def _share(self, again: Sequence[float]) -> None:
        """Write a digest if there is something new, or the last one is old. One that cannot be written is missed by the
        others, who then list."""
        is_new = bool(self._window) and self._window[-1][0] > self._written
        if not is_new and self._began - self._written < self._interval / BEAT:
            return
        self._since = max(self._since, self._began - self._kept)
        while len(self._window) > MOST_NAMES:
            self._since = max(self._since, self._window.popleft()[0])
        while self._window and self._window[0][0] <= self._since:
            self._window.popleft()
        names = tuple(name for _, name in self._window)
        data = packed(Digest(self._tenure, self._since, self._began, (again[0], again[1]), names))
        with contextlib.suppress(StoreError, OSError):
            digest = hashlib.md5(data, usedforsecurity=False).hexdigest()
            await self._container.put(NewObject(OBJECT, data, CONTENT_TYPE, digest))
            self._written = self._began
            DIGESTS.labels("written").inc()
