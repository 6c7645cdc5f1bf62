"""Publish, find and remove derived images on disk: complete files at their canonical names, in one folder per image.

Every change of the tree happens here, on the event loop, without an await inside a change, so other tasks see a folder
only before or after it. Invariant: all files of an image were made of the original that its marker names.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from gateway.marker import Marker
from gateway.names import Name, disk_path, folder_path, hashed_folder, marker_path
from gateway.paths import MARKER, smaller_path
from service.cache.folders import make_folder, move_entries, unlink
from service.cache.graves import Graves, Removal
from service.cache.marker import read_marker, read_smaller, write_marker, write_smaller
from service.cache.published import Published, look
from service.cache.recency import fresh_atime
from service.cache.unproven import Unproven
from service.cache.usage import BLOCK, Usage
from service.cache.work import Work


class DerivedTree:
    """The tree below `root`; `work` is on the same file system. `usage` is right as far as it has been counted.

    `bury` is called with each folder out of sight that may be deleted, `published` with each folder that got a file.
    """

    def __init__(self, root: Path, work: Work, bury: Callable[[Path], object]) -> None:
        self.root = root
        self.usage = Usage()
        self.published: Callable[[Path], None] = lambda _: None
        self._work = work
        self._graves = Graves(root, work, self.usage, bury)
        self._graves.settled = self._settle
        self._is_shut = False  # while everything is being removed
        self.unproven = Unproven(root.parent / "unproven", root, self.usage, work, bury)
        self._stuck: dict[str, str] = {}  # images of which something is left at its place, by their folder

    def find(self, name: Name) -> Published | None:
        """The derived file, if it is there, and not of what should be gone."""
        self._graves.put_back(name.image)
        if self._is_stuck(name.image):
            return None
        return look(self.root, disk_path(name)) or self._find_ending(name)

    def publish(self, finished: Path, name: Name, modified: int, marker: Marker) -> Published:
        """Move a finished file to its name, with its validator's time; at no instant is there half of it.

        What was made of another original, or of none that is known, goes first. Raises OSError (no space, read-only,
        ...), with nothing wrong left behind.
        """
        relative = disk_path(name, ending=marker.ends is not None)
        target = self.root / relative
        os.chmod(finished, 0o644)  # noqa: PTH101
        size = os.stat(finished).st_size  # noqa: PTH116
        os.utime(finished, (fresh_atime(relative, size), modified))
        self._mark(name.image, marker)
        folder = target.parent
        make_folder(folder, self.usage)
        replaced = _size(target)
        os.replace(finished, target)  # noqa: PTH105  # Path's makes a third path, which takes longer than the rename
        if replaced is not None:
            self.usage.add(replaced, -1, target)
        self.usage.add(size, path=target)
        self.published(folder)
        return Published(target, relative, size, modified, ends=marker.ends)

    def marker(self, image: str) -> Marker | None:
        """What the image's files were made of, if there are any that count."""
        self._graves.put_back(image)
        return None if self._is_stuck(image) else read_marker(f"{self.root}/{marker_path(image)}")

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

    def forget(self, image: str) -> list[Removal]:
        """Remove all that was derived of an image, and nothing of images below its name.

        One rename for each of its folders, however much they hold; a thread does the rest (see `graves`). What cannot
        be moved is not found any more, and removed when `removed` returns. The folder with the marker goes last, so
        that what a crash leaves in the tree still tells what it was made of.
        """
        self._graves.put_back(image)
        with contextlib.suppress(OSError):  # the store is asked before anything of it is used
            self.unproven.drop(image)
        folders = dict.fromkeys((hashed_folder(image), folder_path(image)[0]))
        return [removal for folder in folders if (removal := self._take(folder, image))]

    def forget_folder(self, folder: str) -> None:
        """`forget` for one folder below the root, whatever image it is of."""
        self._take(folder, folder)

    async def removed(self, removals: Iterable[Removal], *, counted: bool = False) -> int:
        """Wait until nothing of these is at its place any more; the number of files, if they shall be `counted`.

        Raises OSError when the disk does not let go of something.
        """
        for removal in removals:
            if counted or removal.path is None:
                await self._graves.finish(removal)
            if removal.path is None and removal.failure:
                raise removal.failure
        return sum(removal.files for removal in removals)

    async def settled(self) -> int:
        """Wait until what was moved away with a forgotten image is back; how many folders came back until now."""
        await self._graves.finish_all()
        return self._graves.returned

    def forget_all(self) -> Path:
        """Move everything out of sight at once; return where it is now, to be deleted later. Raises OSError."""
        grave = self._work.path()
        self.root.rename(grave)
        self.root.mkdir()
        self._cleared()
        return grave

    async def clear(self) -> Path:
        """`forget_all`, also where the root cannot be moved (it is of a layer of an overlay file system): then what is
        in it is, and meanwhile nothing is found or published. Raises OSError."""
        try:
            return self.forget_all()
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
        grave = self._work.path()
        self._is_shut = True
        try:
            await asyncio.to_thread(move_entries, str(self.root), str(grave))
        finally:
            self._is_shut = False
        self._cleared()
        return grave

    def hide(self) -> bool:
        """Move everything out of nginx's sight, until the store says that it is current; whether there was anything.
        Raises OSError."""
        if not self.unproven.hide():
            return False
        self._stuck.clear()
        self._graves.abandon()
        return True

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

    def _find_ending(self, name: Name) -> Published | None:
        """The file of an image whose original has an end that is not over."""
        marker = read_marker(f"{self.root}/{marker_path(name.image)}")
        if marker is None or marker.ends is None or marker.ends <= time.time():
            return None
        return look(self.root, disk_path(name, ending=True), marker.ends)

    def _cleared(self) -> None:
        self._stuck.clear()
        self._graves.abandon()
        self.usage.clear()
        self.unproven.clear()

    def _take(self, folder: str, image: str) -> Removal | None:
        removal = self._graves.take(folder)
        if removal and removal.path is None:
            self._stuck[folder] = image
            return removal
        self._stuck.pop(folder, None)
        if removal:
            self._prune((self.root / folder).parent)
        return removal

    def _settle(self, removal: Removal) -> None:
        """The files of a folder that could not be moved are gone, or the disk does not let go of them."""
        if removal.failure is None:
            self._stuck.pop(removal.folder, None)
            self._prune(self.root / removal.folder)

    def _is_stuck(self, image: str) -> bool:
        return self._is_shut or (bool(self._stuck) and image in self._stuck.values())

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
        except UnicodeEncodeError:  # not the name of an image: another program made it
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
        if self._is_shut:
            raise OSError(errno.EXDEV, "all derived images are being removed")
        if self.marker(image) == marker:
            return
        for removal in self.forget(image):
            if removal.path is None and removal.failure:
                raise removal.failure
        with self._work.file() as path:
            write_marker(path, marker)
            target = self.root / marker_path(image)
            make_folder(target.parent, self.usage)
            os.replace(path, target)  # noqa: PTH105
            self.usage.add(BLOCK, path=target)

    def _remove(self, file: Path) -> int:
        try:
            size = unlink(str(file))
        except (FileNotFoundError, NotADirectoryError):
            return 0
        self.usage.add(size, -1, file)
        return 1


def _size(file: Path) -> int | None:
    try:
        return os.lstat(file).st_size
    except (FileNotFoundError, NotADirectoryError):
        return None
