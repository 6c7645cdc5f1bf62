"""Entries of changes that end at once share an object of the journal, and none waits for long."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import pytest

from gateway.journal import ANY_NODE, LONGEST, parse_entries
from service.journal import grouping
from service.journal.grouping import MANY
from service.store.errors import Unavailable
from tests.journal.gathering import Held, change, changes, first_change, many_coming, names_in, writer_of
from tests.waiting import eventually

pytestmark = pytest.mark.usefixtures("patient")


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
