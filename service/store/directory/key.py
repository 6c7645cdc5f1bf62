"""Make and read the key of temporary URLs, in a file that only its owner can read."""

from __future__ import annotations

import contextlib
import os
import secrets
import tempfile
from collections.abc import Sequence
from pathlib import Path

from service.store.directory.files import regular_file
from service.store.errors import NoTemporaryUrls

KEY_FILE = "@temp-url-key"
"""Its name in a folder; no image and no folder of images begins so, and no listing shows it."""

_LONGEST = 4096  # bytes that are read of it


def key_of(folders: Sequence[Path]) -> str:
    """The key in the first of these folders that has one; else a new one, in the first that takes it.

    nginx reads the same files, at each request. Raises NoTemporaryUrls where no folder takes a key.
    """
    found = next(filter(None, map(_read, folders)), None)
    if found:
        return found
    why = "there is no folder for it"
    for folder in folders:
        try:
            _make(folder)
        except OSError as error:
            why = f"{folder}: {error.strerror}"
        if made := _read(folder):
            return made
    raise NoTemporaryUrls(f"the key of temporary URLs cannot be kept: {why}; set store.directory.temp_url.key")


def _read(folder: Path) -> str | None:
    with contextlib.suppress(OSError, UnicodeDecodeError):
        parent = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            with regular_file(parent, KEY_FILE.encode()) as file:
                return os.read(file, _LONGEST).decode().rstrip("\r\n") or None
        finally:
            os.close(parent)
    return None


def _make(folder: Path) -> None:
    """Give the folder a new key, whole or not at all, unless another process gives it one first."""
    folder.mkdir(exist_ok=True)  # the derived container's may be deleted at any time
    descriptor, unfinished = tempfile.mkstemp(prefix=f"{KEY_FILE}.", dir=folder)  # with mode 0600
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(32) + "\n")
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(unfinished, folder / KEY_FILE)
    finally:
        Path(unfinished).unlink()
