"""What a tree of files takes, and what it may take."""

from __future__ import annotations

import time
from dataclasses import dataclass

BLOCK = 4096  # bytes in which file systems give out space
HIGH, LOW = 0.95, 0.85  # the watermarks: above the high one files are evicted, until the low one is reached
BYTES_A_FILE = 8192  # the budget in files is the one in bytes by this: two blocks, so that inodes run out no sooner


def taken(size: int) -> int:
    """The bytes of disk that a file of this size takes."""
    return -(-size // BLOCK) * BLOCK


@dataclass(slots=True)
class Usage:
    """Bytes of disk and number of files, folders and markers included."""

    bytes: int = 0
    files: int = 0

    def add(self, size: int, sign: int = 1) -> None:
        """Count a file of this size, or with `sign` -1 discount it; never below nothing."""
        self.bytes = max(0, self.bytes + sign * taken(size))
        self.files = max(0, self.files + sign)


@dataclass(slots=True)
class Ages:
    """When the files of a tree were last used, as `recency.last_use` tells it: the one that was not for longest, and
    the last one. `oldest` begins as the time of the count: what came later was used later."""

    oldest: float
    newest: float | None = None

    def add(self, used: float) -> None:
        self.oldest = min(self.oldest, used)
        self.newest = used if self.newest is None else max(self.newest, used)

    @property
    def seconds(self) -> tuple[float, float]:
        """How long ago both were, the oldest first."""
        now, newest = time.time(), self.oldest if self.newest is None else self.newest
        return max(0.0, now - self.oldest), max(0.0, now - newest)


@dataclass(frozen=True, slots=True)
class Budget:
    """The most that a tree may take."""

    bytes: int
    files: int

    @classmethod
    def of(cls, size: int) -> Budget:
        return cls(size, max(16, size // BYTES_A_FILE))

    def exceeded(self, usage: Usage, watermark: float) -> bool:
        """Whether a watermark, as a fraction of the budget, is exceeded."""
        return usage.bytes > watermark * self.bytes or usage.files > watermark * self.files
