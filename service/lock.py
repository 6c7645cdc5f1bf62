"""One gateway per runtime folder: two would take each other's socket and publish into each other's work."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path


class AlreadyRunning(Exception):
    """Another process holds the lock; the text names the folder."""


@contextlib.contextmanager
def exclusive(folder: Path, role: str) -> Iterator[None]:
    """Hold the folder's lock for this role as long as the context lasts. Raises AlreadyRunning."""
    with os.fdopen(os.open(folder / f"{role}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600), "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyRunning(
                f"runtime.root: {folder} is in use by another gateway; stop it, or give this one a folder of its own"
            ) from None
        yield
