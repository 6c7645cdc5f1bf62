"""Which images are used, and which of these the store is to be asked for again."""

from __future__ import annotations

import asyncio
import heapq
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from service.store.base import StoredObject

MOST = 100_000  # images that are remembered, some 30 MB
PART = 10  # an image is due after one part in so many of the age of its original

Checked = Callable[[str], tuple[float, float] | None]
"""When the store was last asked for an original of this name, monotonic, and the second since the epoch when what it
holds was stored; None where that is not known."""


@dataclass(slots=True)
class Use:
    """How often an image was used since the store was asked for it; when it was last `checked`, monotonic, and when the
    original was `stored`, in seconds since the epoch."""

    uses: int = 0
    checked: float = float("-inf")
    stored: float = 0.0


@dataclass(frozen=True, slots=True)
class Interval:
    """After how many seconds an image is due again: `least`, or up to `most` with the age of its original while other
    nodes are `followed` by the journal."""

    least: float
    most: float
    followed: Callable[[], bool] = lambda: False

    def of(self, stored: float) -> float:
        """That of an original that was stored then, in seconds since the epoch."""
        if not self.followed():
            return self.least
        return max(self.least, min((time.time() - stored) / PART, self.most))


class UsedImages:
    """Images that were used lately. `came` is set when one is due; `interval` says when that is."""

    def __init__(self, interval: Interval, checked: Checked) -> None:
        self.came = asyncio.Event()
        self._interval = interval
        self._checked = checked
        self._images: OrderedDict[str, Use] = OrderedDict()  # those that were checked last are at the end
        self._due: dict[str, float] = {}  # since when, monotonic; those that wait for longest first

    def __len__(self) -> int:
        """How many are due."""
        return len(self._due)

    @property
    def oldest(self) -> float:
        """Seconds for which one has been due; 0 where none is."""
        return time.monotonic() - next(iter(self._due.values())) if self._due else 0.0

    def note(self, name: str, uses: int = 1) -> None:
        """An image was used so many times."""
        use = self._images.get(name)
        if use is None:
            use = self._images[name] = Use()
            if len(self._images) > MOST:
                gone, _ = self._images.popitem(last=False)
                self._due.pop(gone, None)
        use.uses += uses
        if name not in self._due and self._is_due(name, use):
            self._due[name] = time.monotonic()
            self.came.set()

    def most_used(self, number: int) -> list[str]:
        """Those that are due, the most used first, at most so many."""
        return heapq.nlargest(number, self._due, key=lambda name: self._images[name].uses)

    def asked(self, name: str, stored: StoredObject | None) -> None:
        """The store was asked for it, and holds this; None: nothing, so nothing can be used either."""
        self._due.pop(name, None)
        if stored is None:
            self._images.pop(name, None)
        elif name in self._images:
            self._images[name] = Use(0, time.monotonic(), stored.modified)
            self._images.move_to_end(name)

    def put_last(self, name: str) -> None:
        """The store has no answer for it: those that were used are asked for first."""
        if name in self._images:
            self._images[name].uses = 0

    def listed(self, stored: StoredObject, began: float) -> None:
        """It was compared with a listing, which began then. Listings lag behind, so its uses count on: the store is
        asked for it when others were used less since."""
        use = self._images.get(stored.name)
        if use is None or use.checked > began:
            return
        use.checked, use.stored = began, stored.modified
        self._images.move_to_end(stored.name)
        self._due.pop(stored.name, None)

    def _is_due(self, name: str, use: Use) -> bool:
        now = time.monotonic()
        if now < use.checked + self._interval.of(use.stored):
            return False
        known = self._checked(name)  # a request may have had to ask
        if known and known[0] > use.checked:
            use.checked, use.stored = known
            return now >= use.checked + self._interval.of(use.stored)
        return True
