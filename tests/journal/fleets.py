"""A journal in memory with a digest beside it, and the nodes that read it, for tests of digests."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gateway.journal import Entry
from service.cache.work import Work
from service.journal.digests import OBJECT, Digests
from service.journal.peers import Peers
from service.journal.reader import Reader
from service.journal.stats import JournalStats
from service.store.base import NewObject, StoredObject
from service.store.errors import NotFound, Unavailable
from tests.journal.listings import KEEP, LAG, Listing

INTERVAL = 2.0


@dataclass
class Shared(Listing):
    """A listing with a digest beside it, which may be unreadable, or answered as it was before."""

    digest: bytes | None = None
    former: bytes | None = None
    is_stale: bool = False
    writes: int = 0
    gets: int = 0

    async def fetch(self, name: str, target: Path) -> StoredObject:
        self.gets += 1
        if self.fails:
            raise Unavailable("no")
        data = self.former if self.is_stale else self.digest
        if name != OBJECT or data is None:
            raise NotFound(name)
        target.write_bytes(data)
        return StoredObject(name, len(data), "e", self.now)

    async def put(self, new: NewObject) -> StoredObject:
        if self.fails:
            raise Unavailable("no")
        self.writes += 1
        self.former, self.digest = self.digest, new.opened().read()
        return StoredObject(new.name, 1, "e", self.now)


@dataclass
class Fleet:
    """Nodes that read one journal, each at times of its own."""

    listing: Shared
    folder: Path
    work: Work
    chance: random.Random
    readers: dict[str, Reader] = field(default_factory=dict)
    only_with_peers: bool = False
    shares: dict[str, Digests] = field(default_factory=dict)
    seen: dict[str, list[str]] = field(default_factory=dict)
    due: dict[str, float] = field(default_factory=dict)

    def start(self, node: str) -> None:
        container: Any = self.listing
        seen = self.seen.setdefault(node, [])

        async def settle(entry: Entry) -> None:
            seen.append(entry.name or "")

        peers = Peers(node) if self.only_with_peers else None
        self.shares[node] = Digests(container, self.work, INTERVAL, peers)
        self.readers[node] = Reader(
            container, self.folder / node, self.work, node, lambda: self.listing.now, settle, JournalStats(),
            interval=INTERVAL, lag=LAG, keep=KEEP, digests=self.shares[node])  # fmt: skip
        self.due[node] = self.listing.now + self.chance.random() * INTERVAL

    def stop(self, node: str) -> None:
        """End a node with what it has saved."""
        self.readers[node].save()
        del self.readers[node], self.due[node]

    @property
    def writers(self) -> list[str]:
        return [node for node in self.readers if self.shares[node].pause < INTERVAL]

    async def run(self, seconds: float) -> None:
        end = self.listing.now + seconds
        while self.due:
            node = min(self.due, key=lambda one: self.due[one])
            if self.due[node] > end:
                break
            self.listing.now = max(self.listing.now, self.due[node])
            await self.readers[node].read()
            self.due[node] = self.listing.now + self.shares[node].pause
        self.listing.now = end


@contextmanager
def changes(fleet: Fleet, count: int, seconds: float, latest: float) -> Iterator[list[str]]:
    """Objects in the next seconds, of one or three entries each, whose rows show up to `latest` seconds later; the
    names of the images."""
    names = list[str]()
    for number in range(count):
        time = fleet.listing.now + fleet.chance.random() * seconds
        some = [f"{len(fleet.listing.rows)}-{number}-{place}.png" for place in range(fleet.chance.choice([1, 1, 3]))]
        late = fleet.chance.random() * latest if fleet.chance.random() < 0.3 else 0.0
        fleet.listing.add(*some, time=time, shows=time + late, node="f0")
        names += some
    yield names
