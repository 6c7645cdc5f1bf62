"""A Swift that gives fewer rows than it is asked for, as one with sharded containers may: everything is still read."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from gateway.journal import Entry, entry_name
from service.cache.work import Work
from service.journal.reader import Reader
from service.journal.stats import JournalStats
from service.store.swift import listing
from tests.swift.server import SwiftServer
from tests.swift.stores import make_originals, put, settings_for, started

ROWS = 2  # in one answer, whatever is asked for


@pytest.fixture(autouse=True)
def short_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = listing._rows

    def cut(pool: Any, container: str, query: Mapping[str, Any], connection: Any) -> Sequence[Any]:
        return rows(pool, container, {**query, "limit": min(query["limit"], ROWS)}, connection)

    monkeypatch.setattr(listing, "_rows", cut)


async def test_listings_and_the_journal_are_read_to_their_end(swift: SwiftServer, tmp_path: Path) -> None:
    settings = settings_for(swift.url)
    settings = dataclasses.replace(settings, journal_container=f"{settings.container}-journal")
    make_originals(swift.url, settings)
    names = [f"{number}.png" for number in range(5)]
    seen: list[str] = []

    async def settle(entry: Entry) -> None:
        seen.append(entry.name or "")

    async with started(settings) as store:
        assert store.journal
        await store.journal.list(limit=1)
        now = store.now()
        assert now
        for number, name in enumerate(names):
            await put(store.originals, tmp_path, name)
            entry = Entry("put", name, "e", 1, now + number / 100, "b")
            await put(store.journal, tmp_path, entry_name(entry, f"{number}"))
        page = await store.originals.list(limit=1000)
        assert [one.name for one in page.objects] == names
        (tmp_path / "work").mkdir()
        work = Work(tmp_path / "work", None)
        reader = Reader(store.journal, tmp_path / "place.json", work, "a", store.now, settle, JournalStats(),
                        interval=1, lag=60, keep=7200)  # fmt: skip
        await reader.read()
        work.close()
    assert seen == names
