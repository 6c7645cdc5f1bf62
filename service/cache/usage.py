"""Count the bytes and files of a tree against its budget."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

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
    _counts: list[Count] = field(default_factory=list, init=False, repr=False, compare=False)

    def add(self, size: int, sign: int = 1, path: Path | None = None) -> None:
        """Count a file of this size that came to `path`, or with `sign` -1 discount the one that went; never below
        nothing. The path tells a count that is under way whether it has been there; without one it takes no notice."""
        self.bytes = max(0, self.bytes + sign * taken(size))
        self.files = max(0, self.files + sign)
        for count in self._counts if path else ():
            count.change(str(path), taken(size), sign)

    def clear(self) -> None:
        """Nothing is there any more."""
        self.bytes = self.files = 0
        for count in self._counts:
            count.clear()

    @contextlib.contextmanager
    def counting(self) -> Iterator[Count]:
        """A count that includes what comes and goes meanwhile; its result replaces this usage, if it ends well."""
        count = Count()
        self._counts.append(count)
        try:
            yield count
        finally:
            self._counts.remove(count)
        self.bytes, self.files = (max(0, total) for total in count.total())


class Count:
    """What a tree that is in use takes: the sum of what a walk finds, in the order of `walk.files`, put right by every
    change. Where the walk has been, a change is added to the sum. Where it is still to come, what was removed will not
    be found, and what was published is added at the end, and not when it is found. So memory holds no more than the
    paths that were published during the count, and those removed during a batch."""

    def __init__(self) -> None:
        self._bytes = self._files = 0
        self._reached = ""  # the place of the last path that was found
        self._published: dict[str, int] = {}  # bytes, by path: ahead of the walk when it came
        self._removed: set[str] = set()  # ahead of the last batch, so that the next may hold it
        self._cleared = False

    def find(self, batch: list[tuple[str, int]]) -> None:
        """The walk found these: path and bytes."""
        if self._cleared:
            return
        for path, size in batch:
            if path not in self._published and path not in self._removed:
                self._add(size, 1)
        self._reached = _place(batch[-1][0])
        self._removed.clear()

    def change(self, path: str, size: int, sign: int) -> None:
        """So many bytes came to a path, or went from it with `sign` -1."""
        if self._cleared or _place(path) <= self._reached:
            self._add(size, sign)
        elif sign > 0:
            self._published[path] = size
        else:
            self._published.pop(path, None)
            self._removed.add(path)

    def clear(self) -> None:
        """Nothing is there any more: from now on the changes tell all."""
        self._bytes = self._files = 0
        self._published.clear()
        self._cleared = True

    def total(self) -> tuple[int, int]:
        """Bytes and files."""
        return self._bytes + sum(self._published.values()), self._files + len(self._published)

    def _add(self, size: int, sign: int) -> None:
        self._bytes += sign * size
        self._files += sign


def _place(path: str) -> str:
    """What sorts as a walk goes: a folder, what is in it, and then its neighbours."""
    return path.replace("/", "\0")


@dataclass(slots=True)
class Ages:
    """When the files of a tree were last used, as `recency.last_use` gives it: the one that was not for longest, and
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
