"""Lock a folder for one process, since two would use the same sockets, work files and caches."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

LOOK = 0.05  # seconds between two looks whether the lock is free


class AlreadyRunning(Exception):
    """Another process holds the lock; the text names the folder."""


@contextlib.contextmanager
def exclusive(folder: Path, role: str, *, option: str = "runtime.root", patience: float = 0.0) -> Iterator[int]:
    """Hold the folder's lock for this role as long as the context lasts; the kernel lets go of it when the process
    ends, however it ends. `option` is what names the folder in the configuration. The value is the lock's descriptor: a
    process that it is handed to holds the lock as well.

    Raises AlreadyRunning when another process has it, and still has it after `patience` seconds; OSError.
    """
    file = os.open(folder / f"{role}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        end = time.monotonic() + patience
        while not _try_lock(file):
            if time.monotonic() >= end:
                raise AlreadyRunning(
                    f"{option}: {folder} is in use by another gateway; stop it, or give this one a folder of its own"
                )
            time.sleep(LOOK)
        yield file
    finally:
        os.close(file)


def is_held(folder: Path, role: str) -> bool:
    """Whether a process has the folder's lock for this role now. Raises OSError where that cannot be known."""
    try:
        file = os.open(folder / f"{role}.lock", os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:  # it was never held
        return False
    try:
        return not _try_lock(file)
    finally:
        os.close(file)


def _try_lock(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
