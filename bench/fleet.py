"""What it costs to follow other nodes, by the number of originals, nodes and changes: CPU of the service and of Swift.

Measured on a real Swift on loopback: a read of the journal with nothing new, an entry that is read, an entry that is
written, a question about one original, and a row of their listing, whose rows are written into the container's database
directly. From these the table is computed: of one node with the CPU of its service, and of the fleet with the CPU of
Swift.
`python -m bench.fleet [ROWS]` prints it, and exits with 0: the bars stand in docs/nodes.md.
"""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from gateway.journal import Entry
from gateway.settings import Cache
from service.cache.work import Work
from service.journal.reader import SOON, Reader
from service.journal.stats import JournalStats
from service.journal.writer import Writer
from service.maintenance import pace
from service.store.base import NewObject
from service.store.swift.store import SwiftStore
from tests.swift.server import SwiftServer, environment, running_swift
from tests.swift.stores import make_originals, settings_for

ROWS = 20_000  # of the originals' listing
READS = 100
DUE = 100  # images that are due in a minute on each node: some thousand that are used, as most are due in ten minutes
ENTRIES = 200
DERIVED = 10  # derived images of an original in the derived container
OPTIONS = Cache()
PAGE = 5000
FILL = """
import sys
from swift.common.utils import Timestamp
from swift.container.backend import ContainerBroker
broker = ContainerBroker(sys.argv[1])
for first in range(0, int(sys.argv[2]), 10000):
    broker.merge_items([
        {"name": f"photos/{n:09d}.jpg", "created_at": Timestamp.now().internal, "size": 1, "content_type": "image/jpeg",
         "etag": "0" * 32, "deleted": 0, "storage_policy_index": 0}
        for n in range(first, min(first + 10000, int(sys.argv[2])))])
"""


@dataclass(frozen=True)
class Cost:
    """Seconds of CPU of the service and of Swift."""

    service: float
    swift: float


@dataclass(frozen=True)
class Costs:
    """Of a read of the journal with nothing new, of one entry read and written, of one question about an original, and
    of one row of the listing."""

    read: Cost
    entry_read: Cost
    entry_written: Cost
    head: Cost
    row: Cost


def main() -> int:
    """Measure, and print the table."""
    costs = asyncio.run(measure(int(sys.argv[1]) if sys.argv[1:] and sys.argv[1].isdigit() else ROWS))
    for name, cost in dataclasses.asdict(costs).items():
        print(f"fleet    {name:14} service {1e6 * cost['service']:9.1f} us   Swift {1e6 * cost['swift']:9.1f} us")
    print("fleet    seconds of CPU a minute: of one node's service, and of Swift for all nodes")
    print("fleet    originals        nodes  changes/s   journal: service, Swift   revalidation: service, Swift")
    for originals in (20_000, 1_000_000, 100_000_000):
        for nodes in (3, 1000):
            for changes in (0, 100):
                one, asked = journal(costs, changes), revalidation(costs, originals)
                swift = nodes * one.swift + 60 * changes * costs.entry_written.swift
                print(
                    f"fleet    {originals:11,} {nodes:10,} {changes:10} {one.service:12.2f} {swift:11.1f}"
                    f" {asked.service:18.2f} {nodes * asked.swift:11.1f}"
                )
        days = originals * (1 + DERIVED) * costs.row.swift / pace.PART / 86400
        print(
            f"fleet    {originals:11,} walk: {60 * pace.PART:.1f} s of Swift a minute for all nodes,"
            f" {days:.2f} days for {DERIVED} derived images each"
        )
    print(f"fleet    the walk's pace takes a row for {1e6 * pace.ROW:.0f} us of Swift (service/maintenance/pace.py)")
    return 0


def journal(costs: Costs, changes: float) -> Cost:
    """What one node takes a minute to follow so many changes a second: each is listed when it is new, again within the
    overlap of 3 s, and twice more."""
    reads = 60 / OPTIONS.journal + 2 * 60 / SOON
    listed = 60 * changes * (3 / OPTIONS.journal + 1 + 2)
    return Cost(
        reads * costs.read.service + listed * costs.row.service + 60 * changes * costs.entry_read.service,
        reads * costs.read.swift + listed * costs.row.swift,
    )


def revalidation(costs: Costs, originals: int) -> Cost:
    """What one node takes a minute to see changes that no gateway has made, with DUE images that are used and due: a
    question for each, or the whole listing where that is cheaper, and a question how many originals there are."""
    intervals = 60 / OPTIONS.revalidate
    asked = Cost(DUE * costs.head.service, DUE * costs.head.swift)
    listed = Cost(intervals * originals * costs.row.service, intervals * originals * costs.row.swift)
    cheaper = min(asked, listed, key=lambda cost: cost.service + cost.swift)
    return Cost(cheaper.service + intervals * costs.head.service, cheaper.swift + intervals * costs.head.swift)


async def measure(rows: int) -> Costs:
    """The costs on a Swift that is started for it."""
    with tempfile.TemporaryDirectory() as folder, running_swift(Path(folder) / "swift") as server:
        async with store_on(server) as store:
            _fill(server, store, rows)
            spent = Spent(server)
            marker: str | None = ""

            async def listing() -> None:
                nonlocal marker
                while marker is not None:
                    marker = (await store.originals.list(marker=marker, limit=PAGE)).marker

            row = await spent.on(listing, rows)
            (Path(folder) / "work").mkdir()
            work = Work(Path(folder) / "work", None)
            assert store.journal
            places = {"keep": OPTIONS.journal_keep, "lag": OPTIONS.journal_lag}
            writer = Writer(store.journal, Path(folder), work, "b", store.now, keep=lambda: OPTIONS.journal_keep,
                            lag=OPTIONS.journal_lag)  # fmt: skip
            reader = Reader(store.journal, Path(folder) / "place.json", work, "a", store.now, _nothing, JournalStats(),
                            interval=OPTIONS.journal, **places)  # fmt: skip
            await reader.read()

            async def reads() -> None:
                for _ in range(READS):
                    await reader.read()

            async def writes() -> None:
                for number in range(ENTRIES):
                    async with writer.change("put", f"photos/{number:09d}.jpg"):
                        pass

            async def questions() -> None:
                for number in range(ENTRIES):
                    await store.originals.stat(f"there/{number}.jpg")

            source = Path(folder) / "object"
            source.write_bytes(b"x")
            for number in range(ENTRIES):
                await store.originals.put(
                    NewObject(f"there/{number}.jpg", source, "image/jpeg", hashlib.md5(b"x").hexdigest())
                )
            head = await spent.on(questions, ENTRIES)
            read = await spent.on(reads, READS)
            written = await spent.on(writes, ENTRIES)
            entry = await spent.on(reader.read, ENTRIES)
            work.close()
            return Costs(read, entry, written, head, row)


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


def _fill(server: SwiftServer, store: SwiftStore, rows: int) -> None:
    """Write rows into the database of the originals' container, which is the one that has none but its name."""
    name = store.originals._container
    for database in server.root.rglob("*.db"):
        if "containers" in str(database) and name.encode() in database.read_bytes():
            if f"{name}-journal".encode() in database.read_bytes():
                continue
            python = environment() / "bin" / "python"
            subprocess.run([python, "-c", FILL, str(database), str(rows)], check=True, capture_output=True)


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


if __name__ == "__main__":
    sys.exit(main())
