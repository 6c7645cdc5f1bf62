"""What killed engine processes lately: a bounded memory of how often, and when last."""

from __future__ import annotations

import time
from collections import OrderedDict

STRIKES = 2
"""It is refused once it killed this many processes..."""

SECONDS = 600.0
"""...for so long after the last..."""

MOST = 1024
"""...and so many of them are remembered, the latest."""


class Blocklist:
    """Counts by an opaque key, such as a content; the empty key is never counted."""

    def __init__(self) -> None:
        self._strikes: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def strike(self, key: str) -> None:
        """It killed a process just now."""
        if not key:
            return
        self._strikes[key] = (self._count(key) + 1, time.monotonic())
        self._strikes.move_to_end(key)
        if len(self._strikes) > MOST:
            self._strikes.popitem(last=False)

    def __contains__(self, key: str) -> bool:
        """Whether it is refused now."""
        return self._count(key) >= STRIKES

    def __len__(self) -> int:
        return len(self._strikes)

    def _count(self, key: str) -> int:
        count, when = self._strikes.get(key, (0, 0.0))
        return count if time.monotonic() - when < SECONDS else 0
