"""What a tree of files takes, and what it may take."""

from __future__ import annotations

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
