"""Derived images of unknown age, out of nginx's sight: of a node that was away for longer than the journal reaches.

The files of an image are moved back when the store has said that its original is still the one that their marker names.
That is a question and a rename for each file, in place of a computation. Only the image's own files are moved: folders
of images whose names go on below it stay until these are asked for.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from gateway.marker import Marker
from gateway.names import folder_path, hashed_folder, marker_path
from gateway.paths import MARKER
from service.cache.folders import make_folder
from service.cache.marker import read_marker
from service.cache.usage import BLOCK, Budget, Usage
from service.cache.walk import batches, files
from service.cache.work import Work


class Unproven:
    """What was moved from the derived tree below `tree` to `root`, on the same file system. `usage` is of the tree,
    `bury` is called with a folder that may be deleted. `proved` counts images that were moved back."""

    def __init__(self, root: Path, tree: Path, usage: Usage, work: Work, bury: Callable[[Path], object]) -> None:
        self.root = root
        self.proved = 0
        self.held = Usage()  # as far as it was counted
        self._tree = tree
        self._usage = usage
        self._work = work
        self._bury = bury
        self.is_there = root.is_dir()
        self.is_counted = False

    def hide(self) -> bool:
        """Move the whole tree there; whether there was anything. What was there before goes. Raises OSError, also
        (EXDEV) where the tree cannot be moved."""
        with os.scandir(self._tree) as entries:
            if next(entries, None) is None:
                return False
        self.clear()
        self._tree.rename(self.root)
        self._tree.mkdir()
        self._usage.clear()
        self.is_there, self.is_counted = True, False
        return True

    def marker(self, image: str) -> Marker | None:
        """What the files of an image were made of, None where there are none."""
        return read_marker(f"{self.root}/{marker_path(image)}") if self.is_there else None

    def take_back(self, image: str) -> None:
        """Move an image's own files to the tree, the marker last. Raises OSError, with a part moved."""
        for folder in dict.fromkeys((hashed_folder(image), folder_path(image)[0])):
            own = self._own(folder)
            if own:
                make_folder(self._tree / folder, self._usage)
            for name in sorted(own, key=lambda name: name == MARKER):
                target = self._tree / folder / name
                (self.root / folder / name).rename(target)
                size = target.stat().st_size
                self._usage.add(size, path=target)
                self.held.add(size, -1)
        self.proved += 1

    def drop(self, image: str) -> None:
        """Take nothing of an image back. Raises OSError."""
        if self.is_there:
            (self.root / marker_path(image)).unlink(missing_ok=True)

    def clear(self) -> None:
        """Have all of it deleted. Raises OSError."""
        if self.is_there:
            grave = self._work.path()
            self.root.rename(grave)
            self.is_there = False
            self.held.clear()
            self._bury(grave)

    async def count(self, executor: ThreadPoolExecutor) -> None:
        """Learn what it takes, in the background. Raises OSError."""
        self.held.clear()
        async for batch in batches(files(str(self.root)), executor):
            for _, status, is_folder in batch:
                self.held.add(BLOCK if is_folder else status.st_size)
        self.is_counted = True

    def fits(self, budget: Budget, watermark: float) -> bool:
        """Whether the tree and this are below a watermark of the tree's budget."""
        both = Usage(self._usage.bytes + self.held.bytes, self._usage.files + self.held.files)
        return not budget.exceeded(both, watermark)

    def _own(self, folder: str) -> list[str]:
        """The files in a folder; none where there is no such folder."""
        with contextlib.suppress(FileNotFoundError, NotADirectoryError), os.scandir(self.root / folder) as entries:
            return [entry.name for entry in entries if not entry.is_dir(follow_symlinks=False)]
        return []
