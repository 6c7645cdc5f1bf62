"""The copies of originals on this node: their paths, which of them are being read, and which may be evicted.

While the disk of the caches takes nothing, a few lie in the spare folder instead.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections import Counter, OrderedDict
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path

from service.cache.usage import BLOCK, Usage
from service.store.base import StoredObject

MOST_SPARE = 4  # originals in the spare folder while the disk takes none, unless more are read at once


class LocalCopies:
    """The files below `root`, a folder for each name, named by hashes of name and ETag, so that a replaced original is
    another file. `usage` counts what they take."""

    def __init__(self, root: Path, usage: Usage) -> None:
        self.root = root
        self._usage = usage
        self._spare: OrderedDict[Path, None] = OrderedDict()
        self._pins: Counter[str] = Counter()  # by the name of the file, whatever folder it comes to

    def path(self, stored: StoredObject) -> Path:
        """Where the copy of an original is, or would be."""
        version = _hash(f"{stored.name}\n{stored.etag}")
        return self.root / f"{_folder(stored.name)}/{version}"

    def any_of(self, name: str) -> bool:
        """Whether there may be a copy of this name, of whichever version: one look, however many copies there are."""
        try:
            os.lstat(f"{self.root}/{_folder(name)}")
        except OSError as error:
            return not isinstance(error, FileNotFoundError)
        return True

    def find(self, stored: StoredObject) -> Path | None:
        """The whole copy of this original. What has another size was damaged by a crash of the machine."""
        path = self.path(stored)
        for one in (path, *(spare for spare in self._spare if spare.name == path.name)):
            if _size(one) == stored.bytes:
                return one
        return None

    def take_in(self, stored: StoredObject, arriving: Path, *, spare: bool) -> Path:
        """Give a fetched file its name. Raises OSError."""
        path = self.path(stored)
        if not spare:
            replaced = _size(path)
            if replaced is None:
                self._make_folder(path.parent)
            os.replace(arriving, path)  # noqa: PTH105  # Path's makes a third path
            if replaced is not None:
                self._usage.add(replaced, -1, path)
            self._usage.add(stored.bytes, path=path)
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

    async def settled(self) -> int:
        """Nothing is ever moved away."""
        return 0

    def evict(self, files: Iterable[Path]) -> int:
        """Remove copies that are not being read; return how many."""
        return sum(self.remove(file) for file in files if file.name not in self._pins)

    def remove(self, path: Path) -> int:
        """Remove one copy, even while it is read; return 0 where there is none. Empty folders go, too, as a crash may
        have left them."""
        in_spare = path in self._spare
        self._spare.pop(path, None)
        size = _unlink(path)
        if not in_spare:
            if size is not None:
                self._usage.add(size, -1, path)
            self._leave(path.parent)
        return int(size is not None)

    def remove_all(self, name: str) -> int:
        """Remove all copies of this name, of whichever version; return how many."""
        try:
            copies = list((self.root / _folder(name)).iterdir())
        except OSError:  # there are none
            return 0
        return sum(map(self.remove, copies))

    def _leave(self, folder: Path) -> None:
        with contextlib.suppress(OSError):  # it holds others
            while self.root in folder.parents:
                folder.rmdir()
                self._usage.add(BLOCK, -1, folder)
                folder = folder.parent

    def _make_folder(self, folder: Path) -> None:
        """Make the folder of a name, and the one above it, where they are missing. Raises OSError."""
        for one in (folder.parent, folder):
            if not os.path.isdir(one):  # noqa: PTH112  # in two thirds of the time of Path's
                one.mkdir(parents=True)
                self._usage.add(BLOCK, path=one)


def _folder(name: str) -> str:
    """What holds all copies of an original, and nothing else: a path below the root."""
    key = _hash(name)
    return f"{key[:2]}/{key}"


def _size(path: Path) -> int | None:
    """How large a file is, None where there is none."""
    try:
        return os.stat(path).st_size  # noqa: PTH116  # in two thirds of the time of Path's
    except OSError:
        return None


def _unlink(path: Path) -> int | None:
    """Remove a file; how large it was, None where it is not removed."""
    with contextlib.suppress(OSError):
        size = path.stat().st_size
        path.unlink()
        return size
    return None


@lru_cache(4096)
def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
