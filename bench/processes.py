"""Measure the CPU time and memory of a server, all of its processes together."""

from __future__ import annotations

import contextlib
import os
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.gateways import descendants

CPUCLOCK_SCHED = 2
"""The clock of a process that counts nanoseconds on a core, in all its threads, those that ended too: `clockid_t` of
another process is made of its id and this (include/linux/posix-timers.h)."""

SAMPLING = 0.05  # seconds between looks at the memory


def tree(pid: int) -> list[int]:
    """The process and all below it."""
    return [pid, *descendants(pid)]


def cpu(pids: list[int]) -> float:
    """Seconds that these processes have been on a core. Raises OSError when one of them is gone."""
    return sum(time.clock_gettime((~pid << 3) | CPUCLOCK_SCHED) for pid in pids)


def total_cpu(pids: list[int]) -> float:
    """Seconds that these processes have been on a core, with those of their children that have ended; in ticks of the
    system's clock, mostly 10 ms."""
    ticks = 0
    for pid in pids:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += sum(map(int, fields[11:15]))  # utime, stime, cutime, cstime: see proc_pid_stat(5)
    return ticks / os.sysconf("SC_CLK_TCK")


@dataclass
class Peak:
    """The most bytes that were resident at once: `shared` counts a page that n processes map as 1/n in each (PSS),
    `sum` as whole in each (RSS)."""

    shared: int = 0
    sum: int = 0


@contextlib.contextmanager
def watched(pid: int) -> Iterator[Peak]:
    """Watch the memory of a process and all below it while the block runs."""
    peak, over = Peak(), threading.Event()

    def watch() -> None:
        while not over.wait(SAMPLING):
            sizes = [resident(one) for one in tree(pid)]
            peak.shared = max(peak.shared, sum(shared for shared, _ in sizes))
            peak.sum = max(peak.sum, sum(whole for _, whole in sizes))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield peak
    finally:
        over.set()
        watcher.join()


def resident(pid: int) -> tuple[int, int]:
    """PSS and RSS in bytes; nothing for a process that is gone."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0, 0
    found = dict(re.findall(r"^(Pss|Rss): +(\d+) kB", text, re.M))
    return int(found.get("Pss", 0)) * 1024, int(found.get("Rss", 0)) * 1024
