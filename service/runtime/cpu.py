"""The CPU time of other processes of this machine."""

from __future__ import annotations

import time
from collections.abc import Iterable

SCHED = 2
"""The clock of a process that counts nanoseconds on a core, in all of its threads: `clockid_t` of another process is
made of its id and this (include/linux/posix-timers.h)."""


class CpuTime:
    """What a changing set of processes has spent, as a sum that never falls.

    What a process spends between the last look at it and its end is not in it.
    """

    def __init__(self) -> None:
        self._spent = 0.0
        self._known: dict[int, float] = {}

    def of(self, pids: Iterable[int]) -> float:
        """Seconds that these processes, and all that were named before, have been on a core."""
        now = {pid: seconds for pid in pids if (seconds := _seconds(pid)) is not None}
        self._spent += sum(max(0.0, seconds - self._known.get(pid, 0.0)) for pid, seconds in now.items())
        self._known = now
        return self._spent


def _seconds(pid: int) -> float | None:
    """None of a process that is gone."""
    try:
        return time.clock_gettime((~pid << 3) | SCHED)
    except OSError:
        return None
