"""Make temporary files for unfinished work, in a spare folder while the disk fails.

The work folder is on the caches' file system, so that a rename publishes a finished file. When that file system is
full, read-only or broken, work goes to a spare folder, in memory if the system has one, and its results are sent
without being stored. A few seconds later the disk is tried again.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import itertools
import logging
import os
import secrets
import stat
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

RETRY = 5.0  # seconds after which a disk that failed is tried again
LOG_EVERY = 60.0  # seconds between two log lines about the same disk
LEAST_FREE = 32 * 2**20  # bytes: with less, an unexplained failure is attributed to the disk
FULL = (errno.ENOSPC, errno.EDQUOT)
NO_FAILURE = (errno.EMFILE, errno.ENFILE, errno.EXDEV)  # too many open files; a folder that must not be moved
MEMORY = Path("/dev/shm")  # noqa: S108  # a folder of our own is made in it, and checked

log = logging.getLogger(__name__)


class Work:
    """`folder` is on the file system of the caches; `spare` is not. Names are new in every process: what an orphan of
    a killed one still writes is never a file of ours. `on_full` is called when the disk had no room."""

    def __init__(self, folder: Path, spare: Path | None) -> None:
        self.folder = folder
        self.spare = spare
        self.failures: Counter[str] = Counter()  # of the disk, by the name of the error
        self.on_full: Callable[[], None] = lambda: None
        self._process = secrets.token_hex(6)
        self._serial = itertools.count()
        self._failed = -RETRY
        self._logged_at = -LOG_EVERY

    def clean(self) -> list[Path]:
        """Remove the files that a process that ended has left, which are few, and tell the folders, which may hold any
        number. Called before anything is under way. Raises OSError where the folder cannot be read."""
        folders = []
        for folder in filter(None, (self.folder, self.spare)):
            for leftover in folder.iterdir():
                with contextlib.suppress(OSError):
                    if leftover.is_dir() and not leftover.is_symlink():
                        folders.append(leftover)
                    else:
                        leftover.unlink()
        return folders

    def close(self) -> None:
        """Leave nothing behind but folders that are still being deleted."""
        self.clean()
        if self.spare:
            with contextlib.suppress(OSError):
                self.spare.rmdir()

    def path(self, *, spare: bool = False) -> Path:
        """A new path; the caller removes the file. Raises OSError where the caches were deleted and their
        folder cannot be made anew."""
        folder = self.spare if spare and self.spare else self.folder
        if folder is self.folder and not os.path.isdir(folder):  # noqa: PTH112  # in two thirds of the time of Path's
            folder.mkdir(parents=True, exist_ok=True)
        return folder / f"{self._process}-{next(self._serial)}"

    @contextlib.contextmanager
    def file(self, *, spare: bool = False) -> Iterator[Path]:
        """A path for a file that is being made; whatever is still there at the end is removed. Raises OSError as
        `path` does."""
        path = self.path(spare=spare)
        try:
            yield path
        finally:
            with contextlib.suppress(OSError):
                os.unlink(path)  # noqa: PTH108  # three times in a miss, in half the time of Path's

    @property
    def troubled(self) -> bool:
        """Whether the disk failed within the last seconds, so that it is not even tried."""
        return time.monotonic() - self._failed < RETRY

    def trouble(self, error: OSError) -> None:
        """Take note that the disk failed: counted, and told once in a while. That a file is missing is no failure: the
        caches are being deleted, and come back. Nor is what the disk has no part in."""
        if isinstance(error, FileNotFoundError) or error.errno in NO_FAILURE:
            return
        now = time.monotonic()
        self._failed = now
        self.failures[os.strerror(error.errno) if error.errno else type(error).__name__] += 1
        if error.errno in FULL:
            self.on_full()
        if now - self._logged_at >= LOG_EVERY:
            self._logged_at = now
            log.error("the caches' disk fails (%s); images are answered without being stored", error.strerror or error)

    def examine(self) -> bool:
        """Return True if the disk caused an unexplained failure; it is noted then."""
        try:
            with self.file() as path:
                path.write_bytes(bytes(64 * 1024))
            status = os.statvfs(self.folder)
        except OSError as error:
            self.trouble(error)
            return True
        if status.f_bavail * status.f_frsize >= LEAST_FREE:
            return False
        self.trouble(OSError(errno.ENOSPC, "almost no space left on device"))
        return True


def spare_folder(cache: Path) -> Path | None:
    """A folder of our own outside the caches' file system, the same at every start; None where there can be none."""
    root = MEMORY if os.access(MEMORY, os.W_OK) else Path(tempfile.gettempdir())
    folder = root / f"image-gateway-{hashlib.sha256(os.fsencode(cache)).hexdigest()[:16]}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        status = folder.lstat()
    except OSError as error:
        log.warning("there is no spare folder for a full disk: %s", error)
        return None
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid() or status.st_mode & 0o077:
        log.warning("there is no spare folder for a full disk: %s belongs to another user", folder)
        return None
    return folder
