"""The derived images on disk: complete files at their canonical names, published by rename, forgotten by image.

Every change of the tree happens here, on the event loop, and none is interrupted: a task that looks at a folder between
two awaits sees it whole. The invariant: all files of an image were made of the original that its marker names.
"""

from __future__ import annotations

import builtins
import contextlib
import io
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from gateway.marker import Marker
from gateway.names import Name, disk_path, folder_path, hashed_folder, marker_path
from gateway.paths import MARKER, smaller_path
from service.cache.marker import read_marker, read_smaller, write_marker, write_smaller
from service.cache.recency import fresh_atime, is_referenced
from service.cache.usage import BLOCK, Usage
from service.cache.work import Work


@dataclass(frozen=True, slots=True)
class Published:
    """A complete derived file: `bytes` long, `modified` in whole seconds since the epoch; both make its ETag.

    `relative` is its path below the tree, None for one that no disk took: then `data` is all there is of it.
    `referenced` tells that the janitor knows already that it is in use.
    """

    path: Path
    relative: str | None
    bytes: int
    modified: int
    data: builtins.bytes | None = None
    referenced: bool = True

    @property
    def etag(self) -> str:
        """The strong validator, as nginx makes it of a file: modification time and size, in hexadecimal."""
        return f"{self.modified:x}-{self.bytes:x}"

    def open(self) -> BinaryIO:
        """The bytes that belong to these validators, whatever becomes of the name afterwards.

        Raises FileNotFoundError when the file was evicted or replaced since: then it is to be asked for again.
        """
        if self.data is not None:
            return io.BytesIO(self.data)
        file = self.path.open("rb")
        status = os.fstat(file.fileno())
        if (status.st_size, int(status.st_mtime)) != (self.bytes, self.modified):
            file.close()
            raise FileNotFoundError(f"{self.relative} is another file by now")
        return file


class DerivedTree:
    """The tree below `root`; `work` is on the same file system. `usage` is right as far as it has been counted."""

    def __init__(self, root: Path, work: Work) -> None:
        self.root = root
        self.usage = Usage()
        self._work = work
        self._stuck: set[str] = set()  # images of which something is left that the disk did not let go of

    def find(self, name: Name) -> Published | None:
        """The derived file, if it is there, and not of what should be gone."""
        if name.image in self._stuck:
            return None
        relative = disk_path(name)
        try:
            status = (self.root / relative).stat()
        except OSError:
            return None
        referenced = is_referenced(status)
        return Published(self.root / relative, relative, status.st_size, int(status.st_mtime), referenced=referenced)

    def publish(self, finished: Path, name: Name, modified: int, marker: Marker) -> Published:
        """Move a finished file to its name, with its validator's time; at no instant is there half of it.

        What was made of another original, or of none that is known, goes first. Raises OSError (no space, read-only,
        ...), with nothing wrong left behind.
        """
        relative = disk_path(name)
        target = self.root / relative
        finished.chmod(0o644)
        size = finished.stat().st_size
        os.utime(finished, (fresh_atime(relative, size), modified))
        self._mark(name.image, marker)
        self._make_folder(target.parent)
        replaced = _size(target)
        finished.replace(target)
        if replaced is not None:
            self.usage.add(replaced, -1, target)
        self.usage.add(size, path=target)
        return Published(target, relative, size, modified)

    def marker(self, image: str) -> Marker | None:
        """What the image's files were made of, if there are any that count."""
        return None if image in self._stuck else read_marker(self.root / marker_path(image))

    def smaller(self, image: str) -> dict[str, str]:
        """By format that `auto` may choose for the whole image, the format that gives fewer bytes, as far as noted."""
        return read_smaller(self.root / smaller_path(image))

    def note_smaller(self, image: str, chosen: str, smaller: str) -> None:
        """Note it for nginx, which reads it where it decides. Raises OSError."""
        target = self.root / smaller_path(image)
        noted = {**read_smaller(target), chosen: smaller}
        with self._work.file() as path:
            write_smaller(path, noted)
            replaced = _size(target)
            path.replace(target)
        if replaced is None:
            self.usage.add(BLOCK, path=target)

    def forget(self, image: str) -> int:
        """Remove all that was derived of an image, and nothing of images below its name; the number of files.

        The marker goes last, so that what a crash leaves still tells what it was made of. Raises OSError when
        something cannot be removed, after all else is; what is left is then not found any more.
        """
        self._stuck.add(image)
        removed = self._empty(*dict.fromkeys((hashed_folder(image), folder_path(image)[0])))
        self._stuck.discard(image)
        return removed

    def forget_folder(self, folder: str) -> int:
        """`forget` for one folder below the root, whatever image it is of."""
        return self._empty(folder)

    def forget_all(self) -> Path:
        """Move everything out of sight at once; return where it is now, to be deleted later. Raises OSError."""
        grave = self._work.path()
        self.root.rename(grave)
        self.root.mkdir()
        self._stuck.clear()
        self.usage.clear()
        return grave

    def evict(self, files: Iterable[Path]) -> int:
        """Remove single files, and what they leave empty; a marker stays while there is anything it tells of."""
        removed, folders = 0, dict[Path, None]()
        for file in files:
            folders[file.parent] = None
            if file.name != MARKER:
                with contextlib.suppress(OSError):
                    removed += self._remove(file)
        for folder in folders:
            with contextlib.suppress(OSError):
                self._retire(folder)
        return removed

    def _empty(self, *folders: str) -> int:
        removed, failures = 0, []
        for folder in folders:
            leaves = self._leaves(self.root / folder)
            if leaves is None:
                continue
            for leaf in sorted(leaves, key=lambda path: path.name == MARKER):
                try:
                    removed += self._remove(leaf)
                except OSError as error:
                    failures.append(error)
            self._prune(self.root / folder)
        if failures:
            raise failures[0]
        return removed

    def _retire(self, folder: Path) -> None:
        """Remove a folder's marker when it is all that is left of the image, and then the folder."""
        with os.scandir(folder) as entries:
            if any(entry.name != MARKER and not entry.is_dir(follow_symlinks=False) for entry in entries):
                return
        if not self._has_hashed(folder):
            self._remove(folder / MARKER)
        self._prune(folder)

    def _has_hashed(self, folder: Path) -> bool:
        """Whether there are files of the folder's image under a hash besides."""
        image = folder.relative_to(self.root).as_posix()
        try:
            return not image.startswith("@/") and (self.root / hashed_folder(image)).exists()
        except UnicodeEncodeError:  # it is no image's: somebody else made it
            return False

    def _prune(self, folder: Path) -> None:
        """Remove a folder that is empty, and those above that it leaves empty."""
        while folder != self.root:
            try:
                folder.rmdir()
            except OSError:
                return
            self.usage.add(BLOCK, -1, folder)
            folder = folder.parent

    def _mark(self, image: str, marker: Marker) -> None:
        if self.marker(image) == marker:
            return
        self.forget(image)
        with self._work.file() as path:
            write_marker(path, marker)
            target = self.root / marker_path(image)
            self._make_folder(target.parent)
            path.replace(target)
            self.usage.add(BLOCK, path=target)

    def _make_folder(self, folder: Path) -> None:
        missing = []
        while not folder.is_dir():
            missing.append(folder)
            folder = folder.parent
        for one in reversed(missing):
            one.mkdir(exist_ok=True)
            self.usage.add(BLOCK, path=one)

    def _remove(self, file: Path) -> int:
        size = _size(file)
        if size is None:
            return 0
        file.unlink(missing_ok=True)
        self.usage.add(size, -1, file)
        return 1

    def _leaves(self, folder: Path) -> list[Path] | None:
        """The files of a folder, without those of its folders; None where there is no such folder."""
        try:
            with os.scandir(folder) as entries:
                return [Path(entry.path) for entry in entries if not entry.is_dir(follow_symlinks=False)]
        except (FileNotFoundError, NotADirectoryError):
            return None


def _size(file: Path) -> int | None:
    try:
        return file.lstat().st_size
    except (FileNotFoundError, NotADirectoryError):
        return None
