"""The journal of a store: how this node writes it, and what is counted of it. A store may have none."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gateway.journal import Entry, Kind
from gateway.settings import Cache
from service.cache.work import Work
from service.journal.digests import Digests
from service.journal.peers import Peers
from service.journal.reader import Reader
from service.journal.stats import JournalStats
from service.journal.trimming import Trimming
from service.journal.writer import Change, Writer
from service.store.base import Container, Store

LATE = 5.0  # times `cache.journal`, and at least so many seconds, that a journal which is followed was not read
SHORTEST = 2.0  # times `cache.journal_lag`, for which an entry is kept in any case
PLACE = "place"  # where the journal was read to, in the folder of the notes, whose names end in .json


@dataclass(slots=True)
class Journal:
    """`writer` is None where the store has no journal; `folder` holds the notes and the place that was read to."""

    store: Store
    folder: Path
    work: Work
    options: Cache
    writer: Writer | None = None
    node: str = field(default_factory=lambda: secrets.token_hex(4))
    stats: JournalStats = field(default_factory=JournalStats)
    _reader: Reader | None = None

    @property
    def waiting(self) -> int:
        """Entries that could not be written yet."""
        return 0 if self.writer is None else len(self.writer)

    @property
    def is_followed(self) -> bool:
        """Whether this node hears of what other nodes change: the journal was read lately."""
        age = self.stats.age
        return age is not None and age <= max(LATE * self.options.journal, LATE)

    def keep(self) -> float:
        """For how many seconds an entry is kept: `cache.journal_keep`, less where that would pass a million rows."""
        return self.stats.keep(self.options.journal_keep, SHORTEST * self.options.journal_lag)

    @contextlib.asynccontextmanager
    async def change(self, kind: Kind, name: str = "", *, alone: bool = False) -> AsyncIterator[Change]:
        """Make a change within this context, and have its entry written before it ends (see `Writer.change`)."""
        if self.writer is None:
            yield Change()
            return
        async with self.writer.change(kind, name, alone=alone) as change:
            yield change

    def coming(self) -> contextlib.AbstractContextManager[None]:
        """A change is on its way within this context: entries of others may wait a moment for its own."""
        return contextlib.nullcontext() if self.writer is None else self.writer.coming()

    def reader(self, settle: Callable[[Entry], Awaitable[None]]) -> Reader | None:
        """What reads the journal and gives entries of other nodes to `settle`; None where there is none."""
        container = self.store.journal
        if container is None:
            return None
        options = self.options
        self._reader = Reader(
            container,
            self.folder / PLACE,
            self.work,
            self.node,
            self.store.now,
            settle,
            self.stats,
            interval=options.journal,
            lag=options.journal_lag,
            keep=options.journal_keep,
            digests=self._digests(container),
        )
        return self._reader

    def _digests(self, container: Container) -> Digests | None:
        """How the reading of the journal is shared, as `cache.journal_digest` says."""
        if self.options.journal_digest == "never":
            return None
        peers = Peers(self.node) if self.options.journal_digest == "auto" else None
        return Digests(container, self.work, self.options.journal, peers)

    def has_settled(self, entry: str) -> bool | None:
        """Whether this node has settled the entries of the object of this name; None where there is no journal."""
        return None if self._reader is None else self._reader.has_settled(entry)


def works_of(journal: Journal, reader: Reader | None) -> dict[str, Callable[[], Coroutine[Any, Any, None]]]:
    """The background tasks of a journal, by their names."""
    container, writer = journal.store.journal, journal.writer
    if container is None or writer is None or reader is None:
        return {}
    trimming = Trimming(container, journal.store.now, journal.keep)
    return {
        "reading of the journal": reader.run,
        "writing of the journal": writer.run,
        "trimming of the journal": trimming.run,
    }


def opened_journal(store: Store, folder: Path, work: Work, options: Cache) -> Journal:
    """The journal of a store that was started; its notes lie in `folder`, which is made. Raises OSError."""
    folder.mkdir(exist_ok=True)
    journal = Journal(store, folder, work, options)
    if store.journal is not None:
        journal.writer = Writer(
            store.journal, folder, journal.node, store.now, keep=journal.keep, lag=options.journal_lag
        )
    return journal
