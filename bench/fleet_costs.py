"""What the requests cost by which nodes follow each other: CPU of the service and of Swift.

Measured on a real Swift on loopback: what a node asks for with nothing new, entries, questions and rows, at several
numbers of originals, whose rows are written into the container's database directly. `bench.fleet` computes from them.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from gateway.journal import Entry, entry_name
from gateway.settings import Cache
from service.cache.work import Work
from service.journal.digests import Digests
from service.journal.reader import Reader
from service.journal.stats import JournalStats
from service.journal.writer import Writer
from service.store.base import NewObject
from service.store.swift.store import SwiftStore
from tests.swift.server import SwiftServer, environment, running_swift
from tests.swift.stores import make_originals, settings_for

READS = 100
ENTRIES = 200
NAMED = 800  # entries in a digest: of 8 s at 100 changes a second
SLOW = 60.0  # seconds between two reads of those whose digests are measured, which are not late meanwhile
OPTIONS = Cache()
PAGE = 5000
FILL = """
import sys
from swift.common.utils import Timestamp
from swift.container.backend import ContainerBroker
broker = ContainerBroker(sys.argv[1])
for first in range(int(sys.argv[2]), int(sys.argv[3]), 10000):
    broker.merge_items([
        {"name": f"photos/{n:09d}.jpg", "created_at": Timestamp.now().internal, "size": 1, "content_type": "image/jpeg",
         "etag": "0" * 32, "deleted": 0, "storage_policy_index": 0}
        for n in range(first, min(first + 10000, int(sys.argv[3])))])
"""


@dataclass(frozen=True)
class Cost:
    """Seconds of CPU of the service and of Swift."""

    service: float
    swift: float

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.service + other.service, self.swift + other.swift)

    def __mul__(self, times: float) -> Cost:
        return Cost(self.service * times, self.swift * times)


@dataclass(frozen=True)
class Sized:
    """With so many originals: of a read of the journal with nothing new, of a question about one original and about the
    container of them, and of one row of their listing."""

    originals: int
    read: Cost
    head: Cost
    usage: Cost
    row: Cost


@dataclass(frozen=True)
class Costs:
    """Of one entry written, read and deleted, of a digest of NAMED entries written and read with nothing new; and by
    the number of originals."""

    entry_written: Cost
    entry_read: Cost
    entry_deleted: Cost
    digest_written: Cost
    digest_read: Cost
    sized: tuple[Sized, ...]


async def measure(sizes: Sequence[int]) -> Costs:
    """The costs on a Swift that is started for it, with so many originals, one number after the other."""
    with tempfile.TemporaryDirectory() as folder, running_swift(Path(folder) / "swift") as server:
        async with store_on(server) as store:
            assert store.journal
            bench = Bench(server, store, Path(folder))
            try:
                sized = [await bench.at(before, size) for before, size in zip([0, *sizes], sizes, strict=False)]
                return Costs(*await bench.entries(), *await bench.digests(), tuple(sized))
            finally:
                bench.work.close()


class Bench:
    """Measures on one Swift."""

    def __init__(self, server: SwiftServer, store: SwiftStore, folder: Path) -> None:
        assert store.journal
        (folder / "work").mkdir()
        self.work = Work(folder / "work", None)
        self._server, self._store, self._folder = server, store, folder
        self._spent = Spent(server)
        self._journal = store.journal

    def reader(self, node: str, interval: float = OPTIONS.journal, digests: Digests | None = None) -> Reader:
        return Reader(
            self._journal, self._folder / node, self.work, node, self._store.now, _nothing, JournalStats(),
            interval=interval, lag=OPTIONS.journal_lag, keep=OPTIONS.journal_keep, digests=digests)  # fmt: skip

    async def at(self, before: int, size: int) -> Sized:
        """The costs with so many originals, of which there are some before."""
        _fill(self._server, self._store, before, size)
        originals, reader = self._store.originals, self.reader(f"{size:x}")
        await originals.list(limit=1)  # which enters what was written
        await self._put_some()
        await reader.read()

        async def listing() -> None:
            marker: str | None = ""
            while marker is not None:
                marker = (await originals.list(marker=marker, limit=PAGE)).marker

        async def ask(number: int) -> object:
            return await originals.stat(f"there/{number % ENTRIES}.jpg")

        return Sized(
            size,
            await self._spent.times(READS, lambda _: reader.read()),
            await self._spent.times(ENTRIES, ask),
            await self._spent.times(READS, lambda _: originals.usage()),
            await self._spent.on(listing, size),
        )

    async def entries(self) -> tuple[Cost, Cost, Cost]:
        """One that is written, one of another node that is read, and one that is deleted, as Swift's expirer does."""
        writer = Writer(self._journal, self._folder, "b", self._store.now, keep=lambda: OPTIONS.journal_keep,
                        lag=OPTIONS.journal_lag)  # fmt: skip
        reader = self.reader("a")
        await reader.read()

        async def write(number: int) -> None:
            async with writer.change("put", f"photos/{number:09d}.jpg"):
                pass

        written = await self._spent.times(ENTRIES, write)
        read = await self._spent.on(reader.read, ENTRIES)
        names = [one.name for one in (await self._journal.list(limit=ENTRIES)).objects]
        assert len(names) == ENTRIES
        return written, read, await self._spent.times(ENTRIES, lambda number: self._journal.delete(names[number]))

    async def digests(self) -> tuple[Cost, Cost]:
        """One of NAMED entries that is written, and that is read by a node which knows them."""
        writing, reading = (Digests(self._journal, self.work, SLOW) for _ in range(2))
        writing._vacant = 0.0
        writer, reader = self.reader("c", SLOW, writing), self.reader("d", SLOW, reading)
        await writer.read()
        await reader.read()
        now = self._store.now() or 0.0

        async def write(number: int) -> None:
            writing._window.clear()
            for place in range(NAMED):
                entry = Entry("put", f"photos/{place:09d}.jpg", "0" * 32, int(now), now + place / 1000, "b")
                writing._window.append((now, entry_name(entry, f"{place:016x}")))
            writing._written = 0.0
            await writing._share([now, now])

        written = await self._spent.times(ENTRIES // 4, write)
        await reader.read()
        assert reading._followed and len(reader._seen) >= NAMED
        return written, await self._spent.times(READS, lambda _: reader.read())

    async def _put_some(self) -> None:
        source = self._folder / "object"
        source.write_bytes(b"x")
        for number in range(ENTRIES):
            await self._store.originals.put(
                NewObject(f"there/{number}.jpg", source, "image/jpeg", hashlib.md5(b"x").hexdigest())
            )


async def _nothing(_: Entry) -> None:
    return


@asynccontextmanager
async def store_on(server: SwiftServer) -> AsyncIterator[SwiftStore]:
    settings = settings_for(server.url)
    settings = dataclasses.replace(settings, journal_container=f"{settings.container}-journal")
    make_originals(server.url, settings)
    store = SwiftStore(settings)
    await store.start()
    try:
        yield store
    finally:
        await store.close()


def _fill(server: SwiftServer, store: SwiftStore, first: int, end: int) -> None:
    """Write rows into the database of the originals' container, which is the one that has none but its name."""
    name = store.originals._container
    for database in server.root.rglob("*.db"):
        if "containers" in str(database) and name.encode() in database.read_bytes():
            if f"{name}-journal".encode() in database.read_bytes():
                continue
            python = environment() / "bin" / "python"
            subprocess.run([python, "-c", FILL, str(database), str(first), str(end)], check=True, capture_output=True)


class Spent:
    """The CPU of this process and of a Swift."""

    def __init__(self, server: SwiftServer) -> None:
        assert server._process
        self._group = server._process.pid

    async def on(self, work: Callable[[], Awaitable[object]], times: int) -> Cost:
        """What one of so many times costs."""
        service, swift = time.process_time(), self._of_swift()
        await work()
        return Cost((time.process_time() - service) / times, (self._of_swift() - swift) / times)

    async def times(self, times: int, work: Callable[[int], Awaitable[object]]) -> Cost:
        """What one of so many, one after the other, costs."""

        async def all_of_them() -> None:
            for number in range(times):
                await work(number)

        return await self.on(all_of_them, times)

    def _of_swift(self) -> float:
        """Seconds of all processes of its group."""
        ticks = 0
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = stat.read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[2]) == self._group:
                ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")
