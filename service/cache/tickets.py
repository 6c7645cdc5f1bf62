"""Tickets: permission for running work to publish its result, void once the original has changed."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator


class Ticket:
    """Valid until its name is voided. Do not await between checking and publishing."""

    __slots__ = ("valid",)

    def __init__(self) -> None:
        self.valid = True


class Tickets:
    """The tickets that are held now, by name. All on one event loop, so looking and voiding never overlap."""

    def __init__(self) -> None:
        self._held: dict[str, set[Ticket]] = {}

    @contextlib.contextmanager
    def hold(self, name: str) -> Iterator[Ticket]:
        ticket = Ticket()
        holders = self._held.setdefault(name, set())
        holders.add(ticket)
        try:
            yield ticket
        finally:
            holders.discard(ticket)
            if not holders and self._held.get(name) is holders:
                del self._held[name]

    def void(self, name: str) -> None:
        """Void the tickets of a name: work that runs for it may publish nothing."""
        for ticket in self._held.get(name, ()):
            ticket.valid = False

    def void_all(self) -> None:
        for name in self._held:
            self.void(name)
