"""Walks through a derived container, for tests: without rests, and with containers in memory."""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from service.maintenance.leftovers import Leftovers
from service.maintenance.pace import Pace
from service.maintenance.share import Share
from service.store.base import Page, StoredObject, Usage
from service.store.errors import NotFound, Unavailable


@dataclass
class Names:
    """A container in memory. `left` counts listings until it does not answer any more."""

    objects: dict[str, StoredObject] = field(default_factory=dict)
    listed: int = 0
    asked: list[str] = field(default_factory=list)
    left: int = 10**9

    @classmethod
    def of(cls, names: Iterable[str], modified: float = 1000.0, **metadata: str) -> Names:
        named = {name: StoredObject(name, 1, "e", modified, metadata=metadata) for name in names}
        return cls(dict(sorted(named.items(), key=lambda item: item[0].encode())))

    async def list(self, *, prefix: str = "", marker: str = "", limit: int = 1000, **_: Any) -> Page:
        self.left -= 1
        if self.left < 0:
            raise Unavailable("gone")
        names = list(self.objects)
        first = bisect_right(names, max(marker, prefix[:-1]).encode(), key=str.encode)
        found = []
        for name in names[first:]:
            if name.startswith(prefix):
                found.append(self.objects[name])
            elif name > prefix:
                break
            if len(found) == limit:
                break
        self.listed += 1
        return Page(found, [], found[-1].name if len(found) == limit else None)

    async def stat(self, name: str, *, newest: bool = False) -> StoredObject:
        self.asked.append(name)
        if name not in self.objects:
            raise NotFound(name)
        return self.objects[name]

    async def usage(self) -> Usage:
        return Usage(0, len(self.objects))


@dataclass
class Noted:
    """Takes down nothing, and notes what it was told."""

    images: list[str] = field(default_factory=list)

    async def look_through(self, image: str) -> int:
        self.images.append(image)
        return 1

    def add(self, image: str) -> None:
        self.images.append(image)


@dataclass
class Rests:
    """Rests that take no time, in seconds."""

    all: list[float] = field(default_factory=list)

    async def __call__(self, seconds: float) -> None:
        self.all.append(seconds)


def walk_of(
    store: Any,
    takedowns: Any,
    record: Path,
    share: str = "1/1",
    rest: Callable[[float], Awaitable[object]] | None = None,
    now: Callable[[], float] = time.time,
) -> Leftovers:
    """The walk through the derived container of anything with `originals` and `derived`."""
    part = Share.of(share)
    pace = Pace(part.count, rest or Rests())
    return Leftovers(store.originals, store.derived, takedowns, record, now, part, pace, counts=True)


@dataclass
class Containers:
    originals: Names
    derived: Names
