"""What is counted of the journal, for metrics and `GET /stats`."""

from __future__ import annotations

import time
from dataclasses import dataclass

from prometheus_client import Counter

ENTRIES = Counter(
    "image_gateway_journal_entries",
    "Entries of the journal. written: of this node; read: of other nodes; failed: could not be written at first.",
    ["outcome"],
    registry=None,
)
for _outcome in ("written", "read", "failed"):
    ENTRIES.labels(_outcome)
OBJECTS = Counter(
    "image_gateway_journal_objects",
    "Objects of the journal that this node has written. Entries of changes that end at once share one.",
    registry=None,
)

MOST_ROWS = 1_000_000  # objects that the container of the journal holds at most, as far as that can be foreseen
OVER = 3600.0  # seconds over which the number of objects is averaged: a burst is far from so many


@dataclass(slots=True)
class JournalStats:
    """The state of the journal on this node."""

    read_at: float | None = None  # when it was last read to its end, monotonic seconds
    failures: int = 0  # reads that failed
    rate: float = 0.0  # objects a second, of all nodes

    def count(self, objects: int, now: float) -> None:
        """So many objects were new in the read that ended now, in monotonic seconds."""
        if self.read_at is not None:  # the first read finds those of hours
            took = max(now - self.read_at, 1e-3)
            self.rate += min(1.0, took / OVER) * (objects / took - self.rate)
        self.read_at = now

    def keep(self, longest: float, shortest: float) -> float:
        """For how many seconds an entry is kept: `longest`, less where that would pass MOST_ROWS."""
        return max(shortest, min(longest, MOST_ROWS / self.rate)) if self.rate else longest

    @property
    def age(self) -> float | None:
        """Seconds since it was read, None before that."""
        return None if self.read_at is None else time.monotonic() - self.read_at
