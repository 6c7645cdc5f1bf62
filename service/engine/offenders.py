"""Contents that killed engine processes lately: a bounded memory of how often, and when last."""

from __future__ import annotations

import time
from collections import OrderedDict

STRIKES = 2
"""A content is refused once it killed this many processes..."""

SECONDS = 600.0
"""...for so long after the last..."""

MOST = 1024
"""...and so many contents are remembered, the latest."""


class Offenders:
    """Counts by content, an opaque key; the empty key is nobody's and never counted."""

    def __init__(self) -> None:
        self._strikes: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def strike(self, content: str) -> None:
        """The content killed a process just now."""
        if not content:
            return
        self._strikes[content] = (self._count(content) + 1, time.monotonic())
        self._strikes.move_to_end(content)
        if len(self._strikes) > MOST:
            self._strikes.popitem(last=False)

    def __contains__(self, content: str) -> bool:
        """Whether the content is refused now."""
        return self._count(content) >= STRIKES

    def __len__(self) -> int:
        return len(self._strikes)

    def _count(self, content: str) -> int:
        count, when = self._strikes.get(content, (0, 0.0))
        return count if time.monotonic() - when < SECONDS else 0
