"""The last changes that this process made, for those who follow them."""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Sequence

from service.outbox.change import Change

MOST = 1000  # changes that are remembered


class Recent:
    """Changes with cursors; a cursor of an earlier process, or one too old, stands before all that are remembered."""

    def __init__(self) -> None:
        self._process = secrets.token_hex(4)
        self._count = 0
        self._changes: deque[Change] = deque(maxlen=MOST)

    def add(self, change: Change) -> None:
        self._count += 1
        self._changes.append(change)

    @property
    def last(self) -> str:
        """The cursor of the last change; what comes later is after it."""
        return self._cursor(self._count)

    def after(self, cursor: str, limit: int) -> Sequence[tuple[str, Change]]:
        """At most `limit` changes after this cursor, each with its own, the oldest first."""
        process, _, number = cursor.partition("-")
        first = self._count - len(self._changes)
        known = int(number) if process == self._process and number.isdecimal() else 0
        begin = min(max(known - first, 0), len(self._changes))
        found = list(self._changes)[begin : begin + limit]
        return [(self._cursor(first + begin + place), one) for place, one in enumerate(found, 1)]

    def _cursor(self, number: int) -> str:
        return f"{self._process}-{number}"
