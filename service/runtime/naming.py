"""Add the file's name to errors of writes, which do not have it when the disk is full."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def named(path: Path) -> Iterator[None]:
    """Have an OSError that names no file name this one."""
    try:
        yield
    except OSError as error:
        if error.errno and error.filename is None:
            error.filename = str(path)
        raise


def plainly(error: OSError) -> str:
    """Return which file failed, and why."""
    return f"{error.filename}: {error.strerror}" if error.filename else str(error)
