"""A journal in memory whose rows show late, for tests of what reads and writes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from gateway.journal import Entry, object_name
from service.store.base import NewObject, Page, StoredObject
from service.store.errors import Unavailable

BEGIN = 1_700_000_000.0
LAG, KEEP = 60.0, 7200.0


@dataclass
class Listing:
    """A container whose rows show late. `rows` are names and when they show; a page has `page` rows at most."""

    now: float = BEGIN
    rows: dict[str, float] = field(default_factory=dict)
    lists: int = 0
    takes: float = 0.0  # seconds that a PUT takes
    fails: bool = False
    page: int = 2

    async def list(self, *, prefix: str = "", marker: str = "", limit: int = 1000, **_: Any) -> Page:
        self.lists += 1
        shown = (name for name, shows in self.rows.items() if shows <= self.now)
        names = sorted(name for name in shown if name.startswith(prefix) and name > marker)[: min(limit, self.page)]
        found = [StoredObject(name, 1, "e", self.now) for name in names]
        return Page(found, [], names[-1] if names else None)

    async def put(self, new: NewObject) -> StoredObject:
        if self.fails:
            raise Unavailable("no")
        self.now += self.takes
        self.rows[new.name] = self.now
        return StoredObject(new.name, 1, "e", self.now)

    async def delete_all(self, names: Sequence[str]) -> int:
        for name in names:
            del self.rows[name]
        return len(names)

    def add(self, *names: str, time: float, shows: float, node: str = "b", kind: str = "put") -> str:
        """An object with an entry for each of these images; its name."""
        entries = [Entry(kind, name, "e", 1, time, node) for name in names]  # type: ignore[arg-type]
        written = object_name(entries, f"{len(self.rows):x}")
        self.rows[written] = shows
        return written
