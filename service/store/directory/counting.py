"""Count what lies in a tree of files."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Container
from pathlib import Path

from service.store.base import Usage
from service.store.errand import Errand


def counted(root: Path, not_images: Container[str], errand: Errand) -> Usage:
    """The files below the root and their bytes, without those of the store's own and those whose extension says that
    they are no images. Raises Abandoned, and OSError where the root cannot be read."""
    bytes = images = 0
    pending = [os.fspath(root)]
    while pending:
        errand.check()
        folder = pending.pop()
        with contextlib.ExitStack() as stack:
            try:
                entries = stack.enter_context(os.scandir(folder))
            except OSError:
                if folder == os.fspath(root):
                    raise
                continue  # it went meanwhile, or is not ours to read
            for entry in entries:
                if entry.name.startswith("@"):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    pending.append(entry.path)
                elif entry.is_file(follow_symlinks=False) and not _is_other(entry.name, not_images):
                    with contextlib.suppress(FileNotFoundError):
                        bytes += entry.stat(follow_symlinks=False).st_size
                        images += 1
    return Usage(bytes, images)


def _is_other(name: str, not_images: Container[str]) -> bool:
    return name.rpartition(".")[2].lower() in not_images
