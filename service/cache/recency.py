"""Tell which files are in use by their access times, without counters or memory.

On a mount that records access times (`relatime` is enough) the first read of a file sets its access time to now, which
is later than its change time. This is the reference bit of the CLOCK algorithm, at no cost to the request. The hand of
the clock clears it by setting an access time of a few seconds after the epoch: the number of rounds that the file may
stay unread. Where a mount records no access times, `touch` sets the bit.
"""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

from service.engine.formats import FORMATS

SECOND = 10**9  # nanoseconds
ROUNDS = {**{word: row.rounds for word, row in FORMATS.items()}, "json": 1}
"""Rounds that a file stays for what it costs to make again, by extension."""
PART = re.compile(r"/@crop=\d+:\d+:\d+:\d+[,.]")
"""In the path of a part that was cut out by its pixels, as viewers ask for tiles: there are many, seen for a moment."""
SMALL = 16 * 1024  # bytes; what is smaller was decoded and resized for little and stays one round longer


def fresh_atime(name: str, size: int) -> int:
    """The access time, in seconds, of a file that was not read since the last look: its rounds to stay.

    A tile has none, so that a deep zoom evicts tiles before it evicts anything else.
    """
    if PART.search(name):
        return 0
    return ROUNDS.get(name.rpartition(".")[2], 0) + (size < SMALL)


def is_referenced(status: os.stat_result) -> bool:
    """Whether the file was read since its access time was set."""
    return status.st_atime_ns > status.st_ctime_ns


def last_use(status: os.stat_result) -> float:
    """When the file was last read, in seconds since the epoch; if it was not read since, when it was made or the
    clock's hand passed it. With `relatime` a file that is read all the time may seem a day older than it is."""
    return max(status.st_atime, status.st_ctime)


def spend_round(path: str) -> bool:
    """Let the clock's hand pass a file: whether it may stay. Raises OSError.

    All is done to one open file, since the name may mean another by now, whose modification time is its validator.
    """
    file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        status = os.fstat(file)
        rounds = int(status.st_atime)
        if is_referenced(status):
            rounds = fresh_atime(path, status.st_size)
        elif rounds <= 0:
            return False
        else:
            rounds = min(rounds, max(ROUNDS.values()) + 1) - 1
        os.utime(file, ns=(rounds * SECOND, status.st_mtime_ns))
    finally:
        os.close(file)
    return True


def touch(path: Path) -> None:
    """Set the reference bit of a file, as a read does. Raises OSError."""
    file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        os.utime(file, ns=(time.time_ns() + SECOND, os.fstat(file).st_mtime_ns))
    finally:
        os.close(file)


def records_access_times(folder: Path) -> bool:
    """Whether reading a file in this folder sets its access time. Raises OSError."""
    probe = folder / f"atime-{os.getpid()}"
    try:
        probe.write_bytes(b"x")
        os.utime(probe, (0, 0))
        probe.read_bytes()
        return probe.stat().st_atime > 0
    finally:
        probe.unlink(missing_ok=True)
