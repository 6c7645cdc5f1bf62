"""Find the files below a folder that are to be uploaded, and those that are passed over."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

from service.engine.headers.source import OpenedFile
from service.engine.recognise import is_image


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file and the name it shall have."""

    path: Path
    name: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Patterns:
    """Which files of a folder are wanted: those that match any of `include` (all, where it is empty) and none of
    `exclude`. A pattern with a slash is compared with the path below the folder, another with the file's own name;
    `*` stands for any characters, slashes too."""

    include: Sequence[str] = ()
    exclude: Sequence[str] = ()

    def want(self, path: str) -> bool:
        return (not self.include or _matches(path, self.include)) and not _matches(path, self.exclude)


@dataclass(slots=True)
class Selection:
    """The files of files and folders. Afterwards `passed_over` says what was left out, and why."""

    patterns: Patterns = Patterns()
    passed_over: list[tuple[Path, str]] = field(default_factory=list)

    def files_below(self, paths: Iterable[Path], prefix: str) -> Iterator[LocalFile]:
        """The images of folders, named as they lie in them, without hidden ones; and every file that is named itself.

        Symbolic links to folders are not followed, and those to files only where these lie in the same folder. Raises
        OSError for what is not there.
        """
        base = prefix.strip("/")
        for path in paths:
            found = self._images(path) if path.is_dir() else [(path, path.name)]
            for file, name in found:
                yield LocalFile(file, f"{base}/{name}" if base else name, file.stat().st_size)

    def _images(self, folder: Path) -> Iterator[tuple[Path, str]]:
        root = folder.resolve()
        for file in sorted(_files(folder)):
            name = file.relative_to(folder).as_posix()
            if not self.patterns.want(name):
                continue
            if reason := _reason_against(file, root):
                self.passed_over.append((file, reason))
            else:
                yield file, name


def _files(folder: Path) -> Iterator[Path]:
    for entry in folder.iterdir():
        if entry.is_dir():
            if not entry.is_symlink() and not entry.name.startswith("."):
                yield from _files(entry)
        elif entry.is_file() or entry.is_symlink():
            yield entry


def _reason_against(file: Path, root: Path) -> str | None:
    """Why a file below `root` is passed over; None for an image. A file that cannot be read is left to the upload."""
    if file.name.startswith("."):
        return "hidden"
    if file.is_symlink() and not file.resolve().is_relative_to(root):
        return "a link out of the folder"
    if not file.is_file():
        return "a link to nothing"
    try:
        with OpenedFile(file) as source:
            return None if is_image(source) else "no image"
    except OSError:
        return None


def _matches(path: str, patterns: Iterable[str]) -> bool:
    name = os.path.basename(path)  # noqa: PTH119  # of a name in the repository
    return any(fnmatchcase(path if "/" in pattern else name, pattern) for pattern in patterns)
