"""Reading the journal where listings lag, entries are written slowly, and a node starts again."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from gateway.journal import Entry, entry_name
from service.cache.work import Work
from service.journal.journal import PLACE
from service.journal.reader import Reader
from service.journal.stats import JournalStats
from service.journal.trimming import Trimming
from service.journal.writer import Writer
from service.store.base import NewObject, Page, StoredObject
from service.store.errors import Unavailable

BEGIN = 1_700_000_000.0
LAG, KEEP = 60.0, 7200.0


@dataclass
class Listing:
    """A container whose rows show late. `rows` are names and when they show; a page has two rows at most."""

    now: float = BEGIN
    rows: dict[str, float] = field(default_factory=dict)
    lists: int = 0
    takes: float = 0.0  # seconds that a PUT takes
    fails: bool = False

    async def list(self, *, prefix: str = "", marker: str = "", limit: int = 1000, **_: Any) -> Page:
        self.lists += 1
        names = sorted(name for name, shows in self.rows.items()
                       if shows <= self.now and name.startswith(prefix) and name > marker)[: min(limit, 2)]  # fmt: skip
        found = [StoredObject(name, 1, "e", self.now) for name in names]
        return Page(found, [], names[-1] if names else None)

    async def put(self, new: NewObject) -> StoredObject:
        if self.fails:
            raise Unavailable("no")
        self.now += self.takes
        self.rows[new.name] = self.now
        return StoredObject(new.name, 1, "e", self.now)

    async def delete_all(self, names: Sequence[str]) -> int:
        for name in names:
            del self.rows[name]
        return len(names)

    def add(self, name: str, *, time: float, shows: float, node: str = "b", kind: str = "put") -> None:
        entry = Entry(kind, name, "e", 1, time, node)  # type: ignore[arg-type]
        self.rows[entry_name(entry, f"{len(self.rows):x}")] = shows


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Work]:
    (tmp_path / "work").mkdir()
    with contextlib.closing(Work(tmp_path / "work", None)) as folder:
        yield folder


def reader_of(listing: Listing, folder: Path, work: Work, seen: list[str]) -> Reader:
    async def settle(entry: Entry) -> None:
        seen.append(entry.name or "")

    container: Any = listing
    return Reader(container, folder / PLACE, work, "a", lambda: listing.now, settle, JournalStats(),
                  interval=2, lag=LAG, keep=KEEP)  # fmt: skip


async def read_for(reader: Reader, listing: Listing, seconds: float) -> None:
    end = listing.now + seconds
    while listing.now < end:
        listing.now += 2
        await reader.read()


async def test_all_pages_are_read_in_order_and_each_entry_once(tmp_path: Path, work: Work) -> None:
    listing, seen = Listing(), list[str]()
    for number in range(7):
        listing.add(f"{number}.png", time=BEGIN + number / 10, shows=0)
    listing.add("own.png", time=BEGIN, shows=0, node="a")
    listing.rows["outbox/1"] = 0
    reader = reader_of(listing, tmp_path, work, seen)
    await read_for(reader, listing, 100)
    assert seen == [f"{number}.png" for number in range(7)]


@pytest.mark.parametrize("late", [1.0, 4.0, 9.0, 30.0, 59.0])
async def test_an_entry_that_shows_late_is_seen(tmp_path: Path, work: Work, late: float) -> None:
    """Another one of a later time is seen first, so that reads begin behind it."""
    listing, seen = Listing(), list[str]()
    reader = reader_of(listing, tmp_path, work, seen)
    await read_for(reader, listing, 20)
    began = listing.now
    listing.add("late.png", time=began, shows=began + late)
    for second in range(0, 80, 2):
        listing.add(f"{second}.png", time=began + second, shows=began + second)
    await read_for(reader, listing, late + 24 if late > 10 else 24)
    if late <= 9:
        assert "late.png" in seen
    await read_for(reader, listing, 80)
    assert seen.count("late.png") == 1


async def test_an_entry_that_the_disk_does_not_let_be_settled_holds_up_no_other(tmp_path: Path, work: Work) -> None:
    listing, seen = Listing(), list[str]()
    for number in range(3):
        listing.add(f"{number}.png", time=BEGIN + number, shows=0)

    async def settle(entry: Entry) -> None:
        if entry.name == "0.png":
            raise OSError("read-only")
        seen.append(entry.name or "")

    container: Any = listing
    reader = Reader(container, tmp_path / PLACE, work, "a", lambda: listing.now, settle, JournalStats(),
                    interval=2, lag=LAG, keep=KEEP)  # fmt: skip
    await reader.read()
    assert seen == ["1.png", "2.png"]


async def test_a_restart_goes_on_where_it_was_and_repeats_nothing(tmp_path: Path, work: Work) -> None:
    listing, seen = Listing(), list[str]()
    listing.add("before.png", time=BEGIN, shows=0, kind="purge-prefix")
    reader = reader_of(listing, tmp_path, work, seen)
    await read_for(reader, listing, 4)
    reader.save()
    listing.add("meanwhile.png", time=listing.now + 1, shows=0)
    listing.now += 600
    again = reader_of(listing, tmp_path, work, seen)
    await again.read()
    assert seen == ["before.png", "meanwhile.png"]


async def test_what_is_remembered_of_entries_is_bounded_by_time(tmp_path: Path, work: Work) -> None:
    listing, seen = Listing(), list[str]()
    reader = reader_of(listing, tmp_path, work, seen)
    for _ in range(200):
        listing.add(f"{len(seen)}.png", time=listing.now, shows=0)
        await read_for(reader, listing, 2)
    assert len(seen) == 200
    assert len(reader._seen) < (LAG + 40) / 2


async def test_idle_reading_costs_a_few_requests_however_much_was_written(tmp_path: Path, work: Work) -> None:
    listing, seen = Listing(), list[str]()
    for number in range(100):
        listing.add(f"{number}.png", time=BEGIN - 500 + number, shows=0)
    reader = reader_of(listing, tmp_path, work, seen)
    await read_for(reader, listing, 200)
    listing.lists = 0
    await read_for(reader, listing, 60)
    assert listing.lists <= 30 * 4 + 2 * 7  # at two rows a page, from 3 s before the newest entry


async def test_an_entry_that_took_long_is_written_once_more_with_a_later_time(tmp_path: Path, work: Work) -> None:
    listing = Listing(takes=7.0)
    writer = Writer(listing, tmp_path, work, "a", lambda: listing.now, keep=lambda: KEEP, lag=1e-9)  # type: ignore[arg-type]
    async with writer.change("put", "slow.png"):
        pass
    written = sorted(listing.rows)
    assert len(written) == 2
    assert float(written[1][:17]) - float(written[0][:17]) == 7.0
    assert not list(tmp_path.glob("*.json"))


async def test_a_change_that_was_refused_has_no_entry_and_one_whose_outcome_is_lost_has_one(
    tmp_path: Path, work: Work
) -> None:
    listing = Listing()
    writer = Writer(listing, tmp_path, work, "a", lambda: listing.now, keep=lambda: KEEP, lag=LAG)  # type: ignore[arg-type]
    for error in (ValueError("refused"), Unavailable("lost")):
        with contextlib.suppress(ValueError, Unavailable):
            async with writer.change("put", "x.png"):
                raise error
    assert [name.split("/")[1].partition("-")[0] for name in listing.rows] == ["0"]  # which its own node heeds too
    assert not list(tmp_path.glob("*.json"))


async def test_a_note_stays_until_the_entry_is_there(tmp_path: Path, work: Work) -> None:
    listing = Listing(fails=True)
    writer = Writer(listing, tmp_path, work, "a", lambda: listing.now, keep=lambda: KEEP, lag=LAG)  # type: ignore[arg-type]
    async with writer.change("put", "x.png"):
        assert list(tmp_path.glob("*.json"))
    assert list(tmp_path.glob("*.json"))
    assert len(writer) == 1


async def test_entries_that_are_over_are_trimmed_and_nothing_else(tmp_path: Path) -> None:
    listing = Listing()
    for age in (10, KEEP + 60, KEEP + 2000, KEEP + 90000):
        listing.add(f"{age}.png", time=BEGIN - age, shows=0)
    listing.rows |= {"0-other": 0, "outbox/1": 0}
    assert await Trimming(listing, lambda: BEGIN, lambda: KEEP).trim() == 2  # type: ignore[arg-type]
    left = sorted(name.rpartition("/")[2] for name in listing.rows)
    assert left == ["0-other", "1", "10.png", f"{KEEP + 60}.png"]


async def test_a_start_takes_the_place_that_was_read_to_for_no_note(tmp_path: Path, work: Work) -> None:
    listing, seen = Listing(), list[str]()
    reader = reader_of(listing, tmp_path, work, seen)
    await reader.read()
    reader.save()
    writer = Writer(listing, tmp_path, work, "a", lambda: listing.now, keep=lambda: KEEP, lag=LAG)  # type: ignore[arg-type]
    running = asyncio.create_task(writer.run())
    await asyncio.sleep(0)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert len(writer) == 0
    assert listing.rows == {}


async def test_a_change_whose_client_leaves_has_an_entry_of_unknown_outcome(tmp_path: Path, work: Work) -> None:
    listing = Listing()
    writer = Writer(listing, tmp_path, work, "a", lambda: listing.now, keep=lambda: KEEP, lag=LAG)  # type: ignore[arg-type]

    async def purge() -> None:
        async with writer.change("purge", "left.png"):
            await asyncio.sleep(60)

    running = asyncio.create_task(writer.run())
    purging = asyncio.create_task(purge())
    await asyncio.sleep(0)
    purging.cancel()
    await asyncio.gather(purging, return_exceptions=True)
    while not listing.rows:
        await asyncio.sleep(0)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    (name,) = listing.rows
    assert name.split("/")[1].startswith("0-")  # all nodes heed it
    assert name.endswith("/purge/-/0/left.png")


@pytest.mark.parametrize(("rate", "kept"), [(0, 7200), (100, 7200), (200, 5000), (100_000, 120)])
def test_entries_are_kept_less_long_where_they_would_be_more_than_a_million(rate: int, kept: float) -> None:
    stats, now = JournalStats(), 1000.0
    stats.count(5_000_000, now)  # of hours before: says nothing of the rate
    for _ in range(10_000):  # more than five hours
        now += 2.0
        stats.count(2 * rate, now)
    assert stats.keep(KEEP, 2 * LAG) == pytest.approx(kept, rel=0.01)


def test_a_burst_that_is_far_from_a_million_shortens_nothing() -> None:
    stats, now = JournalStats(), 1000.0
    stats.count(0, now)
    for _ in range(45):  # 90 s with 400 changes a second
        now += 2.0
        stats.count(800, now)
    assert stats.keep(KEEP, 2 * LAG) == KEEP


async def test_an_entry_is_given_the_time_for_which_it_is_kept_then(tmp_path: Path, work: Work) -> None:
    given: list[int | None] = []

    class Noted(Listing):
        async def put(self, new: NewObject) -> StoredObject:
            given.append(new.delete_after)
            return await super().put(new)

    listing, keep = Noted(), iter((7200.0, 5000.0))
    writer = Writer(listing, tmp_path, work, "a", lambda: listing.now, keep=lambda: next(keep), lag=LAG)  # type: ignore[arg-type]
    for name in ("a.png", "b.png"):
        async with writer.change("put", name):
            pass
    assert given == [7200, 5000]


async def test_a_node_that_was_cut_off_for_longer_than_entries_are_kept_is_told_and_reads_only_what_is_in_doubt(
    tmp_path: Path, work: Work
) -> None:
    listing, seen, missed = Listing(), list[str](), list[float]()
    reader = reader_of(listing, tmp_path, work, seen)

    async def miss() -> None:
        missed.append(listing.now)

    reader.missed = miss
    listing.add("old.png", time=BEGIN - 1000, shows=0)
    await reader.read()
    assert (missed, seen) == ([BEGIN], [])  # it had never read before, so nothing here can be older
    listing.now += KEEP / 2
    await reader.read()
    assert missed == [BEGIN]
    listing.now += KEEP
    listing.add("gone.png", time=listing.now - KEEP / 2, shows=0)
    listing.add("late.png", time=listing.now - LAG / 2, shows=0)
    await reader.read()
    assert (missed, seen) == ([BEGIN, listing.now], ["late.png"])
    reader.save()
    again = reader_of(listing, tmp_path, work, seen)
    again.missed = miss
    await again.read()
    assert len(missed) == 2
