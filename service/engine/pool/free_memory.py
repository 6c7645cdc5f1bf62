"""Memory that this process has freed and the C library still holds, for later or since it lies between used parts."""

from __future__ import annotations

import select
from typing import BinaryIO

from service.engine.memory import freed, give_back

_SOON = 1000
"""Milliseconds for which an idle process may hold more than `memory.BOUND`: the next image may take as much."""


def give_back_above(bound: int) -> None:
    """Give all of it back where it is more than `bound` bytes."""
    if freed() > bound:
        give_back()


def is_wanted_soon(requests: BinaryIO) -> bool:
    """Wait for the next request, for as long as memory may be held for it. Return whether there is one, or the end."""
    return is_wanted_within(_SOON, requests)


def is_wanted_within(milliseconds: int, requests: BinaryIO) -> bool:
    """Wait for the next request for so long at most. Return whether there is one, or the end."""
    waiting = select.poll()
    waiting.register(requests, select.POLLIN)
    return bool(waiting.poll(milliseconds))
