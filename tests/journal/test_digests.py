"""Digests of the journal: one node lists it, and the others follow what it writes without missing an entry."""

from __future__ import annotations

import dataclasses
import random
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest

from gateway.journal import Entry
from service.cache.work import Work
from service.journal import digests
from service.journal.digest import Digest, packed, unpacked
from service.journal.digests import LATEST, Digests
from service.journal.peers import MANY, WHILE
from service.journal.reader import Reader
from service.journal.stats import JournalStats
from service.journal.writer import Writer
from tests.journal.fleets import INTERVAL, Fleet, Shared, changes
from tests.journal.listings import KEEP, LAG
from tests.swift.server import SwiftServer
from tests.swift.stores import make_originals, settings_for, started


@pytest.fixture
def fleet(tmp_path: Path, work: Work, monkeypatch: pytest.MonkeyPatch) -> Fleet:
    fleet = Fleet(Shared(page=100), tmp_path, work, random.Random(7))
    monkeypatch.setattr(digests, "time", SimpleNamespace(monotonic=lambda: fleet.listing.now))
    for number in range(12):
        fleet.start(f"{number:x}a")
    return fleet


async def test_one_node_lists_and_the_others_see_each_entry_once(fleet: Fleet) -> None:
    await fleet.run(100)
    assert len(fleet.writers) == 1
    fleet.listing.lists = fleet.listing.gets = fleet.listing.writes = 0
    with changes(fleet, 120, 60, 0) as names:
        await fleet.run(70)
    assert all(sorted(seen) == sorted(names) for seen in fleet.seen.values())
    others = len(fleet.readers) - 1
    assert fleet.listing.gets >= others * 70 / INTERVAL
    fleet.listing.lists = 0
    await fleet.run(120)
    writer = 120 / INTERVAL * digests.OFTEN + 2 * 120 / 10
    pages = 2  # of each listing, the last one being empty
    assert fleet.listing.lists <= pages * writer + 3 * others  # which list once a minute, for the time
    assert fleet.listing.writes <= 70 / INTERVAL * digests.OFTEN + 120 / INTERVAL * digests.BEAT + 4


async def test_a_change_is_seen_by_all_within_an_interval_and_a_quarter(fleet: Fleet) -> None:
    await fleet.run(60)
    for number in range(30):
        fleet.listing.add(f"{number}.png", time=fleet.listing.now, shows=fleet.listing.now, node="f0")
        await fleet.run(1.25 * INTERVAL)
        assert all(f"{number}.png" in seen for seen in fleet.seen.values())


async def test_a_change_is_seen_by_all_soon_after_the_writer_is_lost(fleet: Fleet) -> None:
    """Its last digest counts for a while, and then the others list."""
    await fleet.run(60)
    for number in range(5):
        lost = fleet.writers[0]
        await fleet.run(fleet.chance.random() * INTERVAL)
        fleet.stop(lost)
        fleet.listing.add(f"{number}.png", time=fleet.listing.now, shows=fleet.listing.now, node="f0")
        await fleet.run(LATEST + INTERVAL)
        assert all(f"{number}.png" in fleet.seen[node] for node in fleet.readers)
        await fleet.run(10 * INTERVAL)
        assert len(fleet.writers) == 1
        fleet.start(lost)


async def test_digests_are_shared_while_many_nodes_write_entries_and_not_else(fleet: Fleet) -> None:
    fleet.only_with_peers = True
    for node in list(fleet.readers):
        fleet.start(node)
    names = list[str]()

    async def write(writers: int) -> None:
        for number in range(writers):
            names.append(f"{len(fleet.listing.rows)}.png")
            fleet.listing.add(names[-1], time=fleet.listing.now, shows=fleet.listing.now, node=f"f{number:x}")
        await fleet.run(60)

    await write(MANY - 1)
    assert fleet.writers == [] and fleet.listing.gets == fleet.listing.writes == 0
    await write(MANY)
    assert len(fleet.writers) == 1
    node = next(node for node in fleet.readers if node not in fleet.writers)
    fleet.stop(node)
    fleet.start(node)
    fleet.listing.gets = 0
    await fleet.readers[node].read()  # it knows the others from before
    assert fleet.listing.gets == 1
    await fleet.run(WHILE)
    assert fleet.writers == []
    fleet.listing.gets = fleet.listing.writes = 0
    await write(1)
    assert fleet.listing.gets == fleet.listing.writes == 0
    assert all(sorted(seen) == sorted(names) for seen in fleet.seen.values())


@pytest.mark.parametrize("seed", range(3))
async def test_no_entry_is_missed_where_rows_show_late_and_writers_come_and_go(fleet: Fleet, seed: int) -> None:
    """Nodes end, start again, lose the store and are shown old digests, all at random; each sees each entry once."""
    fleet.chance.seed(seed)
    names, nodes = list[str](), list(fleet.readers)
    for _ in range(20):
        with changes(fleet, 10, 8, 55) as new:
            names += new
            match fleet.chance.randrange(6):
                case 0:
                    for node in fleet.writers:
                        fleet.stop(node)
                case 1:
                    fleet.stop(fleet.chance.choice(list(fleet.readers)))
                case 2:
                    fleet.listing.digest = fleet.chance.choice([None, b"", packed(Digest("1", 0, 0, (0, 0)))[:-9]])
                case 3:
                    fleet.listing.is_stale = True
                case 4:
                    fleet.listing.fails = True
                case _:
                    node = fleet.chance.choice(list(fleet.due))  # one whose process stands still for a while
                    fleet.due[node] += fleet.chance.random() * 20
            await fleet.run(8)
        fleet.listing.is_stale = fleet.listing.fails = False
        for node in nodes:
            if node not in fleet.readers:
                fleet.start(node)
    await fleet.run(2 * LAG + 20)
    assert {node: sorted(seen) for node, seen in fleet.seen.items()} == {node: sorted(names) for node in nodes}
    assert len(fleet.writers) == 1


async def test_an_entry_is_settled_only_where_it_was_seen(fleet: Fleet) -> None:
    """`has_settled` holds on a node that follows digests, also for what shows late and for what is forgotten again."""
    await fleet.run(100)
    with changes(fleet, 60, 60, 55):
        for _ in range(30):
            await fleet.run(5)
            for name in fleet.listing.rows:
                image = name.rpartition("/")[2]
                for node, reader in fleet.readers.items():
                    assert not reader.has_settled(name) or image in fleet.seen[node]
    assert all(reader.has_settled(name) for reader in fleet.readers.values() for name in fleet.listing.rows)


async def test_of_several_that_begin_at_once_one_goes_on(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.journal.digests.SPREAD", 0.0)
    for node in fleet.readers:
        fleet.due[node] = fleet.listing.now
    await fleet.run(INTERVAL)
    await fleet.run(2 * INTERVAL)
    assert len(fleet.writers) == 1


async def test_a_digest_of_too_many_entries_covers_less_and_is_not_taken(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.journal.digests.MOST_NAMES", 5)
    await fleet.run(60)
    with changes(fleet, 200, 20, 0) as names:
        await fleet.run(30)
    assert all(sorted(seen) == sorted(names) for seen in fleet.seen.values())
    assert fleet.listing.digest and len((unpacked(fleet.listing.digest) or Digest("", 0, 0, (0, 0))).names) <= 5


async def test_on_a_real_swift_one_node_writes_what_the_other_reads(swift: SwiftServer, tmp_path: Path) -> None:
    settings = settings_for(swift.url)
    settings = dataclasses.replace(settings, journal_container=f"{settings.container}-journal")
    make_originals(swift.url, settings)
    seen: dict[str, list[str]] = {"aa": [], "bb": []}
    (tmp_path / "work").mkdir()
    async with started(settings) as store:
        assert store.journal
        work = Work(tmp_path / "work", None)
        shares = {node: Digests(store.journal, work, 0.05) for node in seen}
        readers = [
            Reader(store.journal, tmp_path / node, work, node, store.now, partial(_settled, seen[node]), JournalStats(),
                   interval=0.05, lag=LAG, keep=KEEP, digests=shares[node])
            for node in seen
        ]  # fmt: skip
        writer = Writer(store.journal, tmp_path, "cc", store.now, keep=lambda: KEEP, lag=LAG)
        before = _read_digests()
        for number in range(200):
            if number < 5:
                async with writer.change("put", f"{number} ü.png"):
                    pass
            for reader in readers:
                await reader.read()
            if _read_digests() > before + 5 and number > 5:
                break
        work.close()
    assert sorted(share.pause for share in shares.values()) == [0.05 / digests.OFTEN, 0.05]
    assert _read_digests() > before + 5
    assert all(names == [f"{number} ü.png" for number in range(5)] for names in seen.values())


async def _settled(seen: list[str], entry: Entry) -> None:
    seen.append(entry.name or "")


def _read_digests() -> float:
    return float(digests.DIGESTS.labels("read")._value.get())
