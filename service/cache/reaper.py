"""Delete folders that were moved out of the tree: derived trees, images, and leftovers of an earlier process.

This may take long, so nothing waits for it. A thread begins when the service serves, pauses as long as it works, and
stops after the current file when the service stops. The next start continues. The thread has no low priority: if it
were interrupted between two files, it would hold Python's lock, and the event loop would wait for it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from gateway.paths import MARKER

BATCH = 64  # files between two rests

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Deleted:
    """What was deleted of a derived tree: files, markers included, and of how many images."""

    images: int = 0
    files: int = 0
    failure: OSError | None = None  # the first, where something cannot be deleted


class Reaper:
    """`folders` are out of sight: no reader knows their paths, no writer uses them again, and no tree counts them."""

    def __init__(self, folders: Iterable[Path] = ()) -> None:
        self._waiting = deque(folders)
        self._lock = threading.Lock()
        self._serving = self._digging = False
        self._stopping = threading.Event()

    def leave(self, folder: Path) -> None:
        """Have a folder deleted: behind those that were left before, and not before the service serves."""
        with self._lock:
            self._waiting.append(folder)
            if not self._serving or self._digging:
                return
            self._digging = True
        self._begin(self._left())

    @contextlib.contextmanager
    def working(self) -> Iterator[None]:
        """While the service serves. At the end nothing more is deleted, and the file at hand is not waited for."""
        self._serving = self._digging = True
        self._begin(self._left())
        try:
            yield
        finally:
            self._stopping.set()

    async def delete(self, folder: Path) -> Deleted:
        """Delete a folder, even when the caller is cancelled; return what was deleted before the service stopped."""
        return await asyncio.shield(asyncio.wrap_future(self._begin([folder])))

    def _left(self) -> Iterator[Path]:
        """What was left, until there is nothing more."""
        while True:
            with self._lock:
                if not self._waiting or self._stopping.is_set():
                    self._digging = False
                    return
                folder = self._waiting.popleft()
            yield folder

    def _begin(self, folders: Iterable[Path]) -> Future[Deleted]:
        executor = ThreadPoolExecutor(
            1, thread_name_prefix="reaper"
        )  # of their own: no deletion that is waited for waits behind another
        deletion = executor.submit(self._delete, folders)
        executor.shutdown(wait=False)  # the thread ends with its work
        return deletion

    def _delete(self, folders: Iterable[Path]) -> Deleted:
        deleted, pace = Deleted(), _Pace(self._stopping)
        for folder in folders:
            self._reap(folder, deleted, pace)
        if deleted.failure:
            log.warning("not all old files can be deleted (%s); the next start tries again", deleted.failure)
        return deleted

    def _reap(self, folder: str | Path, deleted: Deleted, pace: _Pace) -> bool:
        """Delete a folder and all below it; whether it is gone. There is no list of what is in it, however much that
        is: it shrinks while it is read, and is read again where the file system left something out over that."""
        progress = True
        while progress:
            progress = False
            try:
                with os.scandir(folder) as entries:
                    for entry in entries:
                        if self._stopping.is_set():
                            return False
                        pace.step()
                        if entry.is_dir(follow_symlinks=False):
                            progress |= self._reap(entry.path, deleted, pace)
                        else:
                            progress |= _unlink(entry, deleted)
                if self._stopping.is_set():
                    return False
                Path(folder).rmdir()
            except FileNotFoundError:  # the caches are being deleted
                return True
            except OSError as error:
                if not progress:
                    deleted.failure = deleted.failure or error
            else:
                return True
        return False


class _Pace:
    """Rests as long as the work before took, after every batch; no longer when the service stops."""

    def __init__(self, stopping: threading.Event) -> None:
        self._stopping = stopping
        self._steps = 0
        self._began = time.monotonic()

    def step(self) -> None:
        self._steps += 1
        if self._steps % BATCH == 0:
            self._stopping.wait(time.monotonic() - self._began)
            self._began = time.monotonic()


def _unlink(entry: os.DirEntry[str], deleted: Deleted) -> bool:
    try:
        Path(entry.path).unlink()
    except FileNotFoundError:
        return False
    except OSError as error:
        deleted.failure = deleted.failure or error
        return False
    deleted.files += 1
    deleted.images += entry.name == MARKER
    return True
