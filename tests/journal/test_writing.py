"""Entries that are written slowly, or whose outcome is lost, and for how long they are kept."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import pytest

from service.cache.work import Work
from service.journal.stats import JournalStats
from service.journal.trimming import Trimming
from service.journal.writer import Writer
from service.store.base import NewObject, StoredObject
from service.store.errors import Unavailable
from tests.journal.listings import BEGIN, KEEP, LAG, Listing


async def test_an_entry_that_took_long_is_written_once_more_with_a_later_time(tmp_path: Path, work: Work) -> None:
    listing = Listing(takes=7.0)
    writer = Writer(listing, tmp_path, "a", lambda: listing.now, keep=lambda: KEEP, lag=1e-9)  # type: ignore[arg-type]
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
    writer = Writer(listing, tmp_path, "a", lambda: listing.now, keep=lambda: KEEP, lag=LAG)  # type: ignore[arg-type]
    for error in (ValueError("refused"), Unavailable("lost")):
        with contextlib.suppress(ValueError, Unavailable):
            async with writer.change("put", "x.png"):
                raise error
    assert [name.split("/")[1].partition("-")[0] for name in listing.rows] == ["0"]  # which its own node heeds too
    assert not list(tmp_path.glob("*.json"))


async def test_a_note_stays_until_the_entry_is_there(tmp_path: Path, work: Work) -> None:
    listing = Listing(fails=True)
    writer = Writer(listing, tmp_path, "a", lambda: listing.now, keep=lambda: KEEP, lag=LAG)  # type: ignore[arg-type]
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


async def test_a_change_whose_client_leaves_has_an_entry_of_unknown_outcome(tmp_path: Path, work: Work) -> None:
    listing = Listing()
    writer = Writer(listing, tmp_path, "a", lambda: listing.now, keep=lambda: KEEP, lag=LAG)  # type: ignore[arg-type]

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
    writer = Writer(listing, tmp_path, "a", lambda: listing.now, keep=lambda: next(keep), lag=LAG)  # type: ignore[arg-type]
    for name in ("a.png", "b.png"):
        async with writer.change("put", name):
            pass
    assert given == [7200, 5000]
