"""A writer whose entries gather, and a journal whose PUTs wait, for tests of objects that bear several entries."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gateway.journal import parse_entries
from service.journal.grouping import MANY
from service.journal.writer import Change, Writer
from service.store.base import NewObject, StoredObject
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
