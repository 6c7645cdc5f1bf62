"""The derived images on disk: complete files at their canonical names, published by rename, forgotten by image.

Beside an image's derived files lies its marker, `@base`: one line, `BASE SOURCE ETAG`, which tells nginx what
`auto` and `source` mean for this image, and of which original everything in the folder was made.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gateway.names import Name, disk_path, folder_path, hashed_folder

MARKER = "@base"
_serial = itertools.count()


@dataclass(frozen=True, slots=True)
class Marker:
    """What is known of an original: the format of `auto`'s third bucket, the format of `source`, the ETag."""

    base: str
    source: str
    etag: str


@dataclass(frozen=True, slots=True)
class Published:
    """A complete derived file: `bytes` long, `modified` in whole seconds since the epoch; both make its ETag."""

    path: Path
    relative: str
    bytes: int
    modified: int

    @property
    def etag(self) -> str:
        """The strong validator, as nginx makes it of a file: modification time and size, in hexadecimal."""
        return f"{self.modified:x}-{self.bytes:x}"


class DerivedTree:
    """The tree below `root`; `work` is a folder on the same file system for files that are not finished."""

    def __init__(self, root: Path, work: Path) -> None:
        self._root = root
        self._work = work

    def clean(self) -> None:
        """Remove what unfinished work a crash has left. Called before anything is under way."""
        for leftover in self._work.iterdir():
            leftover.unlink(missing_ok=True)

    @contextlib.contextmanager
    def unfinished(self) -> Iterator[Path]:
        """A path for a file that is being made; whatever is still there at the end is removed."""
        path = self._work / f"{os.getpid()}-{next(_serial)}"
        try:
            yield path
        finally:
            path.unlink(missing_ok=True)

    def find(self, name: Name) -> Published | None:
        """The derived file, if it is there."""
        relative = disk_path(name)
        try:
            status = (self._root / relative).stat()
        except OSError:
            return None
        return Published(self._root / relative, relative, status.st_size, int(status.st_mtime))

    def publish(self, finished: Path, name: Name, modified: int, marker: Marker) -> Published:
        """Move a finished file to its name, with its validator's time; at no instant is there half of it.

        Raises OSError (no space, read-only, ...), with nothing changed.
        """
        relative = disk_path(name)
        target = self._root / relative
        finished.chmod(0o644)
        os.utime(finished, (modified, modified))
        size = finished.stat().st_size
        target.parent.mkdir(parents=True, exist_ok=True)
        self._mark(name.image, marker)
        finished.replace(target)
        return Published(target, relative, size, modified)

    def marker(self, image: str) -> Marker | None:
        """What the image's folder was made of, if anything was made."""
        try:
            words = (self._root / folder_path(image)[0] / MARKER).read_text("utf-8").split()
        except (OSError, UnicodeDecodeError):
            return None
        return Marker(*words) if len(words) == 3 else None

    def forget(self, image: str) -> int:
        """Remove all that was derived of an image, and nothing of images below its name; the number of files."""
        removed = 0
        for folder in {folder_path(image)[0], hashed_folder(image)}:
            removed += self._empty(self._root / folder)
        return removed

    def forget_all(self) -> None:
        """Remove everything, by moving it out of sight first."""
        grave = self._work / f"{os.getpid()}-{next(_serial)}"
        self._root.rename(grave)
        self._root.mkdir()
        shutil.rmtree(grave, ignore_errors=True)

    def _mark(self, image: str, marker: Marker) -> None:
        if self.marker(image) == marker:
            return
        with self.unfinished() as path:
            path.write_text(f"{marker.base} {marker.source} {marker.etag}\n", "utf-8")
            path.chmod(0o644)
            target = self._root / folder_path(image)[0] / MARKER
            target.parent.mkdir(parents=True, exist_ok=True)
            path.replace(target)

    def _empty(self, folder: Path) -> int:
        removed = 0
        try:
            leaves = [entry for entry in os.scandir(folder) if not entry.is_dir(follow_symlinks=False)]
        except (FileNotFoundError, NotADirectoryError):
            return 0
        for leaf in sorted(leaves, key=lambda entry: entry.name == MARKER):
            with contextlib.suppress(FileNotFoundError):
                Path(leaf.path).unlink()
                removed += 1
        with contextlib.suppress(OSError):  # it holds images of its own
            folder.rmdir()
        return removed
