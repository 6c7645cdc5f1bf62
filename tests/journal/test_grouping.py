"""Entries of changes that end at once share an object of the journal, and none waits for long."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from gateway.journal import ANY_NODE, LONGEST, parse_entries
from service.journal import grouping
from service.journal.grouping import MANY
from service.journal.writer import Change, Writer
from service.store.base import NewObject, StoredObject
from service.store.errors import Unavailable, Unholdable
from tests.journal.listings import KEEP, Listing
from tests.waiting import eventually

NEVER_SLOW = 1e9  # seconds of lag, so that no PUT takes long on a busy machine


@dataclass
class Held(Listing):
    """The first `held` PUTs wait until it `goes_on`. `begun` are the names of all."""

    held: int = 0
    begun: list[str] = field(default_factory=list)
    goes_on: asyncio.Event = field(default_factory=asyncio.Event)

    async def put(self, new: NewObject) -> StoredObject:
        self.begun.append(new.name)
        if len(self.begun) <= self.held:
            await self.goes_on.wait()
        return await super().put(new)


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No entry goes by itself because it has waited, unless a test says so."""
    monkeypatch.setattr(grouping, "LONGEST_WAIT", 3600.0)


def writer_of(listing: Listing, folder: Path, lag: float = NEVER_SLOW) -> Writer:
    container: Any = listing
    return Writer(container, folder, "a", lambda: listing.now, keep=lambda: KEEP, lag=lag)


async def change(writer: Writer, name: str, *, alone: bool = False) -> Change:
    async with writer.change("purge", name, alone=alone) as made:
        pass
    return made


async def changes(writer: Writer, *names: str) -> list[asyncio.Task[Change]]:
    """Changes of these images at once, whose entries are gathered."""
    before = len(writer._grouping._gathered)
    tasks = [asyncio.create_task(change(writer, name)) for name in names]
    await eventually(lambda: len(writer._grouping._gathered) == before + len(names))
    return tasks


async def first_change(writer: Writer, listing: Held) -> asyncio.Task[Change]:
    """A change whose entry is being written."""
    task = asyncio.create_task(change(writer, "first"))
    await eventually(lambda: listing.begun)
    return task


@contextlib.contextmanager
def many_coming(writer: Writer) -> Iterator[None]:
    with contextlib.ExitStack() as stack:
        for _ in range(MANY):
            stack.enter_context(writer.coming())
        yield


def names_in(objects: Sequence[str]) -> list[list[str | None]]:
    return [[entry.name for entry in parse_entries(name)] for name in objects]


async def test_changes_one_after_the_other_wait_for_nothing(tmp_path: Path) -> None:
    listing = Held()
    writer = writer_of(listing, tmp_path)
    for name in ("a", "b", "c"):
        assert (await change(writer, name)).entry == listing.begun[-1]
    assert names_in(listing.begun) == [["a"], ["b"], ["c"]]


async def test_entries_that_come_while_one_is_written_go_together_when_it_is(tmp_path: Path) -> None:
    listing = Held(held=1)
    writer = writer_of(listing, tmp_path)
    first = await first_change(writer, listing)
    later = await changes(writer, "b", "c", "b")
    assert names_in(listing.begun) == [["first"]]
    assert len(list(tmp_path.glob("*.json"))) == 4
    listing.goes_on.set()
    made = await asyncio.gather(first, *later)
    assert names_in(listing.begun) == [["first"], ["b", "c", "b"]]
    assert [one.entry for one in made] == [listing.begun[0], *[listing.begun[1]] * 3]
    assert not list(tmp_path.glob("*.json"))


async def test_a_put_that_hangs_holds_up_those_right_after_it_for_a_moment_and_no_later_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listing = Held(held=1)
    writer = writer_of(listing, tmp_path)
    first = await first_change(writer, listing)
    monkeypatch.setattr(grouping, "LONGEST_WAIT", 0.0)
    await asyncio.gather(*[change(writer, name) for name in ("b", "c")])
    monkeypatch.setattr(grouping, "LONGEST_WAIT", 3600.0)
    await change(writer, "d")
    assert names_in(listing.begun) == [["first"], ["b", "c"], ["d"]]
    assert not first.done()
    listing.goes_on.set()
    await first


async def test_entries_wait_for_those_of_many_changes_on_their_way(tmp_path: Path) -> None:
    listing = Held()
    writer = writer_of(listing, tmp_path)
    with many_coming(writer):
        waiting = await changes(writer, "a", "b")
    assert not listing.begun
    await asyncio.gather(change(writer, "c"), *waiting)
    assert names_in(listing.begun) == [["a", "b", "c"]]


async def test_entries_wait_for_many_changes_for_a_moment_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grouping, "LONGEST_WAIT", 0.0)
    listing = Held()
    writer = writer_of(listing, tmp_path)
    with many_coming(writer):
        await change(writer, "a")
    assert names_in(listing.begun) == [["a"]]


async def test_changes_one_after_the_other_wait_for_others_that_take_long_no_second_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listing = Held()
    writer = writer_of(listing, tmp_path)
    with many_coming(writer):
        monkeypatch.setattr(grouping, "LONGEST_WAIT", 0.0)
        await change(writer, "a")
        monkeypatch.setattr(grouping, "LONGEST_WAIT", 3600.0)
        await change(writer, "b")
        await change(writer, "c")
        assert names_in(listing.begun) == [["a"], ["b"], ["c"]]


async def test_entries_wait_for_many_changes_again_once_some_have_come_together(tmp_path: Path) -> None:
    listing = Held(held=1)
    writer = writer_of(listing, tmp_path)
    first = await first_change(writer, listing)
    later = await changes(writer, "b", "c")
    listing.goes_on.set()
    await asyncio.gather(first, *later)
    with many_coming(writer):
        waiting = await changes(writer, "d")
    await asyncio.gather(change(writer, "e"), *waiting)
    assert names_in(listing.begun) == [["first"], ["b", "c"], ["d", "e"]]


async def test_changes_under_way_are_on_their_way(tmp_path: Path) -> None:
    listing, goes_on = Held(), asyncio.Event()
    writer = writer_of(listing, tmp_path)

    async def slow_change(name: str) -> None:
        async with writer.change("purge", name):
            await goes_on.wait()

    under_way = [asyncio.create_task(slow_change(f"{number}")) for number in range(MANY)]
    await eventually(lambda: len(list(tmp_path.glob("*.json"))) == MANY)
    waiting = await changes(writer, "a")
    assert not listing.begun
    goes_on.set()
    await asyncio.gather(*waiting, *under_way)
    assert sorted(name or "" for names in names_in(listing.begun) for name in names) == sorted(
        ["a", *map(str, range(MANY))]
    )


async def test_as_many_entries_as_have_room_wait_no_longer(tmp_path: Path) -> None:
    listing = Held()
    writer = writer_of(listing, tmp_path)
    some = [letter * (LONGEST // 3) for letter in "abc"]
    with many_coming(writer):
        full = await changes(writer, *some[:2])
        last = asyncio.create_task(change(writer, some[2]))
        await asyncio.gather(*full)
    assert names_in(listing.begun) == [some[:2]]
    await asyncio.gather(last, change(writer, "d"))
    assert names_in(listing.begun) == [some[:2], [some[2], "d"]]


async def test_an_entry_that_is_to_be_alone_shares_no_object_and_waits_for_none(tmp_path: Path) -> None:
    listing = Held(held=1)
    writer = writer_of(listing, tmp_path)
    first = await first_change(writer, listing)
    later = await changes(writer, "b")
    made = await change(writer, "alone", alone=True)
    assert names_in(listing.begun) == [["first"], ["alone"]]
    assert made.entry == listing.begun[1]
    listing.goes_on.set()
    await asyncio.gather(first, *later)
    assert names_in(listing.begun) == [["first"], ["alone"], ["b"]]


async def test_a_client_that_leaves_takes_no_entry_with_it(tmp_path: Path) -> None:
    listing = Held(held=1)
    writer = writer_of(listing, tmp_path)
    first = await first_change(writer, listing)
    later = await changes(writer, "b", "c", "d")
    first.cancel()
    later[0].cancel()
    await asyncio.wait({first, later[0]})
    listing.goes_on.set()
    made = await asyncio.gather(*later[1:])
    assert names_in(listing.begun) == [["first"], ["b", "c", "d"]]
    assert {one.entry for one in made} == {listing.begun[1]}
    assert not list(tmp_path.glob("*.json"))
    assert len(writer) == 0


async def test_entries_of_unknown_outcome_share_no_object_with_others(tmp_path: Path) -> None:
    listing = Held(held=2)
    writer = writer_of(listing, tmp_path)

    async def lost(name: str) -> None:
        with contextlib.suppress(Unavailable):
            async with writer.change("put", name):
                raise Unavailable("lost")

    first = await first_change(writer, listing)
    later = await changes(writer, "b")
    unknown = [asyncio.create_task(lost(name)) for name in ("c", "d")]
    await eventually(lambda: len(writer._grouping._gathered) == 2)
    listing.goes_on.set()
    await asyncio.gather(first, *later, *unknown)
    assert sorted(names_in(listing.begun)) == [["b"], ["c", "d"], ["first"]]
    nodes = {name: entry.node for written in listing.begun for entry in parse_entries(written) for name in [entry.name]}
    assert nodes == {"first": "a", "b": "a", "c": ANY_NODE, "d": ANY_NODE}


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
