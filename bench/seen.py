"""How soon a change is seen by all nodes: readers of one journal in a real Swift on loopback, with digests and without.

A row for each: the time from the end of an entry's PUT until the last reader has settled it. The bar is 3 s for 99 of
100 entries. `python -m bench.seen [ENTRIES]`.
"""

from __future__ import annotations

import asyncio
import random
import statistics
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from bench.fleet_costs import OPTIONS, store_on
from gateway.journal import Entry
from service.cache.work import Work
from service.journal.digests import SPREAD, Digests
from service.journal.reader import Reader
from service.journal.stats import JournalStats
from service.journal.writer import Writer
from service.store.swift.store import SwiftStore
from tests.swift.server import running_swift

READERS = 10
ENTRIES = 400
PAUSE = 0.2  # seconds between two entries, on average
BAR = 3.0  # seconds


def main() -> int:
    """Print the rows; return how many miss the bar."""
    count = int(sys.argv[1]) if sys.argv[1:] and sys.argv[1].isdigit() else ENTRIES
    short = 0
    for shared in (False, True):
        took = asyncio.run(measure(count, shared))
        of_99 = statistics.quantiles(took, n=100)[98]
        verdict = "  SHORT" if of_99 > BAR else ""
        print(
            f"seen     {READERS} readers, digests: {shared!s:5} {count} entries:"
            f" half within {statistics.median(took):.2f} s, 99 of 100 within {of_99:.2f} s,"
            f" all within {max(took):.2f} s{verdict}"
        )
        short += of_99 > BAR
    return short


async def measure(count: int, shared: bool) -> list[float]:
    """Seconds until all readers have settled an entry, for each of so many."""
    with tempfile.TemporaryDirectory() as folder, running_swift(Path(folder) / "swift") as server:
        (Path(folder) / "work").mkdir()
        work = Work(Path(folder) / "work", None)
        async with store_on(server) as store:
            try:
                return await _times(store, Path(folder), work, count, shared)
            finally:
                work.close()


async def _times(store: SwiftStore, folder: Path, work: Work, count: int, shared: bool) -> list[float]:
    container = store.journal
    assert container
    settled = dict[str, list[float]]()

    async def settle(entry: Entry) -> None:
        settled.setdefault(entry.name or "", []).append(time.monotonic())

    def reader(number: int) -> Reader:
        digests = Digests(container, work, OPTIONS.journal) if shared else None
        return Reader(
            container, folder / f"{number:x}", work, f"{number:x}", store.now, settle, JournalStats(),
            interval=OPTIONS.journal, lag=OPTIONS.journal_lag, keep=OPTIONS.journal_keep, digests=digests)  # fmt: skip

    writer = Writer(container, folder, "ff", store.now, keep=lambda: OPTIONS.journal_keep, lag=OPTIONS.journal_lag)
    chance, written = random.Random(1), dict[str, float]()
    tasks = list[asyncio.Task[None]]()
    for number in range(1, READERS + 1):
        tasks.append(asyncio.create_task(reader(number).run()))
        await asyncio.sleep(chance.random() * OPTIONS.journal)
    await asyncio.sleep((SPREAD + 2) * OPTIONS.journal)  # until one of them writes digests
    for number in range(count):
        name = f"photos/{number}.jpg"
        async with writer.change("put", name):
            pass
        written[name] = time.monotonic()
        await asyncio.sleep(chance.expovariate(1 / PAUSE))
    while any(len(settled.get(name, ())) < READERS for name in written):
        if ended := next(filter(asyncio.Task.done, tasks), None):
            await ended  # raises what ended it
        await asyncio.sleep(0.1)
    for task in tasks:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    return [max(settled[name]) - at for name, at in written.items()]


if __name__ == "__main__":
    sys.exit(main())
