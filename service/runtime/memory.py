"""Answers that take long, remembered in the runtime folder: a start asks again only when what they depend on changed.

An answer holds as long as the files are the same that the process which gave it had loaded, by size, inode and time of
change, and the folders that they lie in: a coder that is installed later appears in one of them.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

LINKER = "/etc/ld.so.cache"  # which libraries are found, see ld.so(8)


class Memory:
    """One answer, in a file."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def recall(self, question: str) -> Any:
        """Return the answer to a question, None where there is none that holds."""
        try:
            held = json.loads(self._file.read_text("utf-8"))
            if held["question"] == _digest(question) and held["state"] == _state(held["loaded"]):
                return held["answer"]
        except (OSError, ValueError, KeyError, TypeError):
            pass  # it is asked again
        return None

    def hold(self, question: str, answer: object, loaded: Iterable[str]) -> None:
        """Remember an answer, and the files that were loaded for it; where the disk refuses, it is asked again."""
        files = list(loaded)
        unfinished = self._file.with_name(f".{self._file.name}.{os.getpid()}")
        with contextlib.suppress(OSError):
            held = {"question": _digest(question), "state": _state(files), "loaded": files, "answer": answer}
            with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
                json.dump(held, file)
            unfinished.replace(self._file)


def _digest(question: str) -> str:
    return hashlib.sha256(f"{sys.version}\n{question}".encode()).hexdigest()


def _state(files: Iterable[str]) -> str:
    """A hash of what the system says of the files and their folders. Raises OSError where one of them is gone."""
    paths = {LINKER, *files} | {os.path.dirname(file) for file in files}  # noqa: PTH120  # hundreds, at each start
    digest = hashlib.sha256()
    for path in sorted(paths):
        status = os.stat(path) if path != LINKER or os.path.exists(LINKER) else None  # noqa: PTH110, PTH116
        what = status and (status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
        digest.update(f"{path} {what}\n".encode())
    return digest.hexdigest()
