"""Turn errors of the file system into those of a store."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator

from service.store.directory.files import failure, is_absent
from service.store.errors import NotFound, Unholdable


@contextlib.contextmanager
def translated(name: str | None = None) -> Iterator[None]:
    """Raise errors of the disk as those of a store; with a `name`, raise NotFound where it is absent."""
    try:
        yield
    except OSError as error:
        if name is not None and is_absent(error):
            raise NotFound(f"there is no {name!r}") from error
        if error.errno == errno.ENAMETOOLONG:
            raise Unholdable("a segment of the name is longer than this file system holds") from error
        raise failure(error) from error


@contextlib.contextmanager
def permitted(name: str) -> Iterator[None]:
    """Raise Unholdable where a change below the root is not permitted: the fault is this name's, since the root itself
    belongs to the store."""
    try:
        yield
    except PermissionError as error:
        raise Unholdable(f"{name!r} lies where this store may change nothing") from error
