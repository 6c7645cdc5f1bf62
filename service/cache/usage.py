"""Count the bytes and files of a tree against its budget."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Iterator
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
    _cleared: int = field(default=0, init=False, repr=False, compare=False)  # how often
    _counted: Count | None = field(default=None, init=False, repr=False, compare=False)  # the last count that ended

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
        self._cleared += 1
        for count in self._counts:
            count.clear()

    def depart(self, folder: str, inside: str) -> Departure:
        """Take note that a folder was moved away, and with it the files whose paths begin with `inside`. What they
        take is discounted when they were looked through, since that takes as long as there are files."""
        counts = [(count, count.depart(folder, inside)) for count in self._counts]
        return Departure(self, folder, self._cleared, self._counted, counts)

    @contextlib.contextmanager
    def counting(self) -> Iterator[Count]:
        """A count that includes what comes and goes meanwhile; its result replaces this usage, if it ends well."""
        count = Count()
        self._counts.append(count)
        try:
            yield count
        finally:
            self._counts.remove(count)
        self._counted = count
        self.bytes, self.files = (max(0, total) for total in count.total())


@dataclass(slots=True)
class Departure:
    """A folder that was moved away. `_counts` holds the counts that were under way then, and the place that each had
    reached: what comes before it in the order of the walk was counted."""

    _usage: Usage
    _folder: str
    _cleared: int
    _counted: Count | None
    _counts: list[tuple[Count, str | None]]

    def weigh(self, files: Iterable[tuple[str, int]]) -> list[tuple[int, int]]:
        """Bytes and files to discount, of the usage and of each count, for the folder and these files in it (name and
        bytes). May run in a thread."""
        totals = [[BLOCK, 1] for _ in range(1 + len(self._counts))]
        places = [place for _, place in self._counts]
        for total, place in zip(totals[1:], places, strict=True):
            if place is not None and _place(self._folder) > place:
                total[:] = 0, 0
        for name, size in files:
            place_of_file = _place(f"{self._folder}/{name}") if places else ""
            for total, place in zip(totals, (None, *places), strict=True):
                if place is None or place_of_file <= place:
                    total[0] += taken(size)
                    total[1] += 1
        return [(total[0], total[1]) for total in totals]

    def settle(self, sums: list[tuple[int, int]]) -> None:
        """Discount what `weigh` has found, unless everything was cleared since."""
        usage, (held, *rest) = self._usage, sums
        if usage._cleared != self._cleared:
            return
        if usage._counted is not self._counted:  # the usage is what a count has found since then
            held = (0, 0)
        for (count, _), (size, files) in zip(self._counts, rest, strict=True):
            count.discount(size, files)
            if count is usage._counted:
                held = (size, files)
        usage.bytes, usage.files = max(0, usage.bytes - held[0]), max(0, usage.files - held[1])

    def back(self, folder: str) -> None:
        """A folder in it came back. A count that was not yet through with it may have missed it."""
        for count, place in self._counts:
            if place is not None and _place(f"{folder}/\U0010ffff") > place:
                count.is_exact = False


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
        self._departed: list[tuple[str, str]] = []  # folders that went as a whole since the last batch
        self._cleared = False
        self.is_exact = True

    def find(self, batch: list[tuple[str, int]]) -> None:
        """The walk found these: path and bytes."""
        if self._cleared:
            return
        for path, size in batch:
            if path not in self._published and path not in self._removed and not self._has_departed(path):
                self._add(size, 1)
        self._reached = _place(batch[-1][0])
        self._removed.clear()
        self._departed.clear()

    def change(self, path: str, size: int, sign: int) -> None:
        """So many bytes came to a path, or went from it with `sign` -1."""
        if self._cleared or _place(path) <= self._reached:
            self._add(size, sign)
        elif sign > 0:
            self._published[path] = size
        else:
            self._published.pop(path, None)
            self._removed.add(path)

    def depart(self, folder: str, inside: str) -> str | None:
        """A folder went with the files whose paths begin with `inside`; how far the walk was, None where that does not
        matter."""
        if self._cleared:
            return None
        ahead = (path for path in self._published if path == folder or path.startswith(inside))
        for path in [path for path in ahead if _place(path) > self._reached]:
            del self._published[path]
        self._departed.append((folder, inside))
        return self._reached

    def discount(self, size: int, files: int) -> None:
        """So much that was counted went with a folder."""
        self._bytes -= size
        self._files -= files

    def clear(self) -> None:
        """Nothing is there any more: from now on the changes tell all."""
        self._bytes = self._files = 0
        self._published.clear()
        self._cleared = True

    def total(self) -> tuple[int, int]:
        """Bytes and files."""
        return self._bytes + sum(self._published.values()), self._files + len(self._published)

    def _has_departed(self, path: str) -> bool:
        return any(path == folder or path.startswith(inside) for folder, inside in self._departed)

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
