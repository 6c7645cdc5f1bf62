"""Reading the journal where listings lag, entries are written slowly, and a node starts again."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gateway.journal import Entry
from service.cache.work import Work
from service.journal.digest import Digest
from service.journal.digests import Digests
from service.journal.journal import PLACE
from service.journal.reader import SOON, Reader, rest
from service.journal.stats import JournalStats
from service.journal.writer import Writer
from tests.journal.listings import BEGIN, KEEP, LAG, Listing


def reader_of(listing: Listing, folder: Path, work: Work, seen: list[str], digests: Digests | None = None) -> Reader:
    async def settle(entry: Entry) -> None:
        seen.append(entry.name or "")

    container: Any = listing
    return Reader(container, folder / PLACE, work, "a", lambda: listing.now, settle, JournalStats(),
                  interval=2, lag=LAG, keep=KEEP, digests=digests)  # fmt: skip


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


@pytest.mark.parametrize(("took", "pause"), [(0.0, 2.0), (0.5, 1.5), (1.5, 0.5), (1.8, 0.45), (2.0, 0.5), (30.0, 0.5)])
def test_reads_begin_at_each_interval_and_a_slow_store_has_some_rest(took: float, pause: float) -> None:
    assert rest(took, 2.0) == pytest.approx(pause)


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


async def test_each_entry_of_an_object_is_settled_once_in_order(tmp_path: Path, work: Work) -> None:
    listing, seen = Listing(), list[str]()
    written = listing.add("c.png", "a.png", "c.png", time=BEGIN, shows=0)
    listing.add("own.png", "own.jpg", time=BEGIN, shows=0, node="a")
    listing.add("d.png", time=BEGIN + 1, shows=0)
    reader = reader_of(listing, tmp_path, work, seen)
    assert not reader.has_settled(written)
    assert await reader.read() == 3  # objects
    await read_for(reader, listing, 100)
    assert seen == ["c.png", "a.png", "c.png", "d.png"]
    assert reader.has_settled(written)


async def test_of_an_object_only_the_entry_that_was_not_settled_is_tried_again_also_after_a_restart(
    tmp_path: Path, work: Work
) -> None:
    listing, seen, held = Listing(), list[str](), {"b.png"}
    written = listing.add("a.png", "b.png", "c.png", time=BEGIN, shows=0)

    async def settle(entry: Entry) -> None:
        if entry.name in held:
            raise OSError("read-only")
        seen.append(entry.name or "")

    def started() -> Reader:
        container: Any = listing
        return Reader(container, tmp_path / PLACE, work, "a", lambda: listing.now, settle, JournalStats(),
                      interval=2, lag=LAG, keep=KEEP)  # fmt: skip

    reader = started()
    await read_for(reader, listing, 6)
    assert seen == ["a.png", "c.png"]
    assert not reader.has_settled(written)
    reader.save()
    again = started()
    await read_for(again, listing, 100)
    assert not again.has_settled(written)
    held.clear()
    await again.read()
    assert seen == ["a.png", "c.png", "b.png"]
    assert again.has_settled(written)


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


@dataclass
class Naming:
    """The digests of another node, which name what they are told to."""

    names: tuple[str, ...] = ()
    joined: float = BEGIN

    async def next(self, now: float) -> Digest | None:
        return Digest("1", now, now, (now - SOON, now - LAG), self.names) if self.names else None

    async def listed(self, _: object) -> None: ...
    def took(self, _: object) -> None: ...
    def saw(self, _: object) -> None: ...


async def test_an_entry_that_digests_name_late_and_for_long_is_settled_once(tmp_path: Path, work: Work) -> None:
    """Their writer may have seen it almost a minute later than this node."""
    naming: Any = Naming()
    listing, seen = Listing(), list[str]()
    reader = reader_of(listing, tmp_path, work, seen, naming)
    listing.add("early.png", time=BEGIN, shows=0)
    await read_for(reader, listing, 50)
    listing.add("later.png", time=listing.now, shows=0)
    naming.names = tuple(listing.rows)
    await read_for(reader, listing, 70)
    assert seen == ["early.png", "later.png"]


async def test_idle_reading_costs_a_few_requests_however_much_was_written(tmp_path: Path, work: Work) -> None:
    listing, seen = Listing(), list[str]()
    for number in range(100):
        listing.add(f"{number}.png", time=BEGIN - 500 + number, shows=0)
    reader = reader_of(listing, tmp_path, work, seen)
    await read_for(reader, listing, 200)
    listing.lists = 0
    await read_for(reader, listing, 60)
    assert listing.lists <= 30 * 4 + 2 * 7  # at two rows a page, from 3 s before the newest entry


async def test_a_start_takes_the_place_that_was_read_to_for_no_note(tmp_path: Path, work: Work) -> None:
    listing, seen = Listing(), list[str]()
    reader = reader_of(listing, tmp_path, work, seen)
    await reader.read()
    reader.save()
    writer = Writer(listing, tmp_path, "a", lambda: listing.now, keep=lambda: KEEP, lag=LAG)  # type: ignore[arg-type]
    running = asyncio.create_task(writer.run())
    await asyncio.sleep(0)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert len(writer) == 0
    assert listing.rows == {}


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
