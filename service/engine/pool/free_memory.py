"""Memory that this process has freed and the C library still holds, for later or since it lies between used parts."""

from __future__ import annotations

import ctypes
import select
from typing import BinaryIO

from service.engine.memory import give_back

_SOON = 1000
"""Milliseconds for which an idle process may hold more than `memory.BOUND`: the next image may take as much."""


class _Mallinfo2(ctypes.Structure):
    """As in malloc.h, mallinfo2(3)."""

    _fields_ = [
        (name, ctypes.c_size_t)
        for name in "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost".split()  # noqa: SIM905
    ]


_libc = ctypes.CDLL(None)
_can_tell = hasattr(_libc, "mallinfo2")  # glibc 2.33 and later
if _can_tell:
    _libc.mallinfo2.restype = _Mallinfo2


def give_back_above(bound: int) -> None:
    """Give all of it back where it is more than `bound` bytes."""
    if _can_tell and _libc.mallinfo2().fordblks > bound:
        give_back()


def is_wanted_soon(requests: BinaryIO) -> bool:
    """Wait for the next request, for as long as memory may be held for it. Return whether there is one, or the end."""
    return is_wanted_within(_SOON, requests)


def is_wanted_within(milliseconds: int, requests: BinaryIO) -> bool:
    """Wait for the next request for so long at most. Return whether there is one, or the end."""
    waiting = select.poll()
    waiting.register(requests, select.POLLIN)
    return bool(waiting.poll(milliseconds))
