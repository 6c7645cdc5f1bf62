"""Make, move and empty folders of a tree on disk."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from gateway.paths import MARKER
from service.cache.usage import BLOCK, Usage

ALONE = 2  # links to a folder that holds no other, where the file system counts them; else there are more, or one


def move(place: str, grave: Path) -> None:
    """Rename a folder. Raises OSError, also for a link to one."""
    os.rename(f"{place}/", grave)  # noqa: PTH104  # Path drops the slash, and then a link is renamed


def holds_files(place: str) -> bool:
    """Whether there is anything of the image itself in its folder, which may only lead to others."""
    try:
        if os.stat(place).st_nlink == ALONE or Path(place, MARKER).exists():  # noqa: PTH116  # four times in a miss
            return True
        with os.scandir(place) as entries:
            return any(not entry.is_dir(follow_symlinks=False) for entry in entries)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:  # it cannot be looked into: moving it says why
        return True


def move_entries(folder: str, grave: str) -> None:
    """Move what is in a folder to another, entry by entry, in a thread: for a folder that cannot be moved itself. What
    of it cannot be moved, is unlinked. Raises OSError."""
    Path(grave).mkdir(exist_ok=True)
    with os.scandir(folder) as entries:
        found = list(entries)
    for entry in found:
        try:
            os.rename(entry.path, f"{grave}/{entry.name}")  # noqa: PTH104  # a path for each costs as much again
        except FileNotFoundError:
            continue
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            if entry.is_dir(follow_symlinks=False):
                move_entries(entry.path, f"{grave}/{entry.name}")
                Path(entry.path).rmdir()
            else:
                Path(entry.path).unlink(missing_ok=True)


def make_folder(folder: Path, usage: Usage) -> None:
    """Make a folder and those above it that are missing, and count them. Raises OSError."""
    missing = []
    while not os.path.isdir(folder):  # noqa: PTH112  # in two thirds of the time of Path's
        missing.append(folder)
        folder = folder.parent
    for one in reversed(missing):
        one.mkdir(exist_ok=True)
        usage.add(BLOCK, path=one)


def unlink_all(folder: str) -> tuple[list[tuple[str, int]], OSError | None]:
    """Unlink the files of a folder where they are, the marker last, in a thread: their paths and sizes, and the first
    failure."""
    unlinked: list[tuple[str, int]] = []
    failure: OSError | None = None
    with os.scandir(folder) as entries:
        leaves = [entry.path for entry in entries if not entry.is_dir(follow_symlinks=False)]
    for path in sorted(leaves, key=lambda path: path.endswith(f"/{MARKER}")):
        try:
            size = unlink(path)
        except FileNotFoundError:
            continue
        except OSError as error:
            failure = failure or error
        else:
            unlinked.append((path, size))
    return unlinked, failure


def unlink(path: str) -> int:
    """Unlink a file; how large it was. Raises OSError."""
    file = Path(path)
    size = file.lstat().st_size
    file.unlink()
    return size
