"""An object with several entries whose PUT fails, is refused, or takes long."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from service.store.base import NewObject, StoredObject
from service.store.errors import Unholdable
from tests.journal.gathering import Held, changes, first_change, names_in, writer_of
from tests.waiting import eventually

pytestmark = pytest.mark.usefixtures("patient")


async def test_entries_that_could_not_be_written_are_written_together_later_and_count_as_waiting_until_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listing = Held(held=1, fails=True)
    writer = writer_of(listing, tmp_path)
    first = await first_change(writer, listing)
    later = await changes(writer, "b", "c")
    listing.goes_on.set()
    made = await asyncio.gather(first, *later)
    assert [one.entry for one in made] == [None] * 3
    assert len(writer) == len(list(tmp_path.glob("*.json"))) == 3
    for note in tmp_path.glob("*.json"):
        note.unlink()  # else they would count as those of a process before
    monkeypatch.setattr("service.journal.writer.PAUSE", 0.0)
    listing.goes_on, listing.held = asyncio.Event(), 3
    running = asyncio.create_task(writer.run())
    await eventually(lambda: len(listing.begun) == 3)
    assert len(writer) == 3
    listing.goes_on.set()
    await eventually(lambda: len(listing.begun) >= 5)
    assert len(writer) == 3
    listing.fails = False
    await eventually(lambda: not len(writer))
    running.cancel()
    await asyncio.wait({running})
    assert names_in(list(listing.rows)) == [["first", "b", "c"]]


async def test_an_entry_that_the_store_refuses_keeps_no_others_out_of_the_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Refusing(Held):
        async def put(self, new: NewObject) -> StoredObject:
            if "refused" in new.name:
                raise Unholdable("no object can have this name")
            return await super().put(new)

    listing = Refusing(held=1)
    writer = writer_of(listing, tmp_path)
    first = await first_change(writer, listing)
    later = await changes(writer, "b", "refused", "c")
    listing.goes_on.set()
    await asyncio.gather(first, *later)
    assert len(writer) == 3
    for note in tmp_path.glob("*.json"):
        note.unlink()  # else they would count as those of a process before
    monkeypatch.setattr("service.journal.writer.PAUSE", 0.0)
    running = asyncio.create_task(writer.run())
    await eventually(lambda: len(writer) == 1)
    running.cancel()
    await asyncio.wait({running})
    assert sorted(names_in(list(listing.rows))) == [["b"], ["c"], ["first"]]


async def test_a_group_that_took_long_is_written_once_more_with_a_later_time(tmp_path: Path) -> None:
    listing = Held(held=1)
    writer = writer_of(listing, tmp_path, lag=1e-9)
    first = await first_change(writer, listing)
    later = await changes(writer, "b", "c")
    listing.takes = 7.0
    listing.goes_on.set()
    made = await asyncio.gather(*later)
    await first
    again = [name for name in sorted(listing.rows) if "first" not in name]
    assert names_in(again) == [["b", "c"]] * 2
    assert float(again[1][:17]) - float(again[0][:17]) == 7.0
    assert {one.entry for one in made} == {again[1]}


async def test_an_error_that_nobody_foresaw_reaches_all_who_wait(tmp_path: Path) -> None:
    class Broken(Held):
        async def put(self, new: NewObject) -> StoredObject:
            await super().put(new)
            raise RuntimeError("broken")

    listing = Broken(held=1)
    writer = writer_of(listing, tmp_path)
    first = await first_change(writer, listing)
    later = await changes(writer, "b", "c")
    listing.goes_on.set()
    found = await asyncio.gather(first, *later, return_exceptions=True)
    assert [str(error) for error in found] == ["broken"] * 3
    assert len(list(tmp_path.glob("*.json"))) == 3
