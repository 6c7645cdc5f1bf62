"""The files that originals are kept in on this node: their names, who reads them now, what of them may go.

While the disk of the caches takes nothing, a few lie in the spare folder instead.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections import Counter, OrderedDict
from collections.abc import Iterable, Iterator
from pathlib import Path

from service.cache.usage import BLOCK, Usage
from service.store.base import StoredObject

MOST_SPARE = 4  # originals in the spare folder while the disk takes none, unless more are read at once


class Copies:
    """The files below `root`, named by hashes of name and ETag, so that a replaced original is another file. `usage`
    is told what they take."""

    def __init__(self, root: Path, usage: Usage) -> None:
        self.root = root
        self._usage = usage
        self._spare: OrderedDict[Path, None] = OrderedDict()
        self._pins: Counter[str] = Counter()  # by the name of the file, whatever folder it comes to

    def path(self, stored: StoredObject) -> Path:
        """Where the copy of an original is, or would be."""
        key, version = _key(stored.name), hashlib.sha256(f"{stored.name}\n{stored.etag}".encode()).hexdigest()[:32]
        return self.root / f"{key[:2]}/{key}-{version}"

    def any_of(self, name: str) -> bool:
        """Whether there may be a copy of this name, of whichever version."""
        key = _key(name)
        try:
            with os.scandir(self.root / key[:2]) as files:
                return any(file.name.startswith(key) for file in files)
        except FileNotFoundError:
            return False
        except OSError:
            return True

    def find(self, stored: StoredObject) -> Path | None:
        """The whole copy of this original. What has another size was damaged by a crash of the machine."""
        path = self.path(stored)
        for one in (path, *(spare for spare in self._spare if spare.name == path.name)):
            with contextlib.suppress(OSError):
                if one.stat().st_size == stored.bytes:
                    return one
        return None

    def take_in(self, stored: StoredObject, arriving: Path, *, spare: bool) -> Path:
        """Give a fetched file its name. Raises OSError."""
        path = self.path(stored)
        if not spare:
            self.remove(path)
            if not path.parent.exists():
                path.parent.mkdir(parents=True)
                self._usage.add(BLOCK)
            arriving.replace(path)
            self._usage.add(stored.bytes)
            return path
        path = arriving.with_name(path.name)
        arriving.replace(path)
        idle = [one for one in self._spare if one.name not in self._pins]
        for oldest in idle[: max(0, len(self._spare) + 1 - MOST_SPARE)]:
            self.remove(oldest)
        self._spare[path] = None
        return path

    @contextlib.contextmanager
    def pinned(self, path: Path) -> Iterator[None]:
        """While this holds, `evict` leaves the copy alone."""
        self._pins[path.name] += 1
        try:
            yield
        finally:
            self._pins[path.name] -= 1
            if not self._pins[path.name]:
                del self._pins[path.name]

    def evict(self, files: Iterable[Path]) -> int:
        """Remove copies that nobody reads now; how many."""
        return sum(self.remove(file) for file in files if file.name not in self._pins)

    def remove(self, path: Path) -> int:
        """Remove one copy, whoever reads it; 0 where there is none."""
        in_spare = path in self._spare
        self._spare.pop(path, None)
        try:
            size = path.stat().st_size
            path.unlink()
        except OSError:
            return 0
        if in_spare:
            return 1
        self._usage.add(size, -1)
        with contextlib.suppress(OSError):  # it holds others
            path.parent.rmdir()
            self._usage.add(BLOCK, -1)
        return 1


def _key(name: str) -> str:
    """With what the names of all copies of an original begin."""
    return hashlib.sha256(name.encode()).hexdigest()[:32]
