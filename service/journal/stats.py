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


@dataclass(slots=True)
class JournalStats:
    """The state of the journal on this node."""

    read_at: float | None = None  # when it was last read to its end, monotonic seconds
    failures: int = 0  # reads that failed

    @property
    def age(self) -> float | None:
        """Seconds since it was read, None before that."""
        return None if self.read_at is None else time.monotonic() - self.read_at
