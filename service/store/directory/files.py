"""Open, write and move files below one root, segment by segment, without following symbolic links.

Every step is relative to the directory before it (`openat` with `O_NOFOLLOW`), so a link that appears at any moment
leads nowhere, and a path may be longer than PATH_MAX.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import stat
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.media_types import UNKNOWN
from service.store.base import StoredObject
from service.store.content import content_type
from service.store.errors import ReadOnly, StoreError, StoreFull, Unavailable, Unholdable

RESERVED = b"@tmp"
"""Directory directly below a root, for files that are not whole yet. No image name begins so."""

_STARTED_NS = time.time_ns()
_XATTR = "user.image-gateway"
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_ABSENT = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG, errno.ENXIO, errno.EACCES}
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def segments(name: str) -> list[bytes] | None:
    """The path of `name` below a root; None when it cannot be one."""
    parts = name.encode().split(b"/")
    if parts[0].startswith(b"@") or any(part in (b"", b".", b"..") or b"\0" in part for part in parts):
        return None
    return parts


def is_absent(error: OSError) -> bool:
    """Whether the error says that there is no such file, or none that we may read, rather than that the disk failed."""
    return error.errno in _ABSENT


def failure(error: OSError) -> StoreError:
    """The StoreError for an error of the disk. Its text has no path."""
    if error.errno == errno.EROFS:
        return ReadOnly("the directory store lies on a file system that is mounted read-only")
    if error.errno in _FULL:
        return StoreFull(f"the directory store is full: {error.strerror}")
    return Unavailable(f"the directory store failed: {error.strerror}")


@contextlib.contextmanager
def directory(root: Path, parts: Sequence[bytes], *, make: bool = False) -> Iterator[int]:
    """An open directory below `root`. Raises FileNotFoundError and its like, and Unavailable when the root is gone.

    With `make` missing directories are made and reach the disk; Unholdable is raised when a file is in the way.
    """
    try:
        current = os.open(root, _DIRECTORY)
    except OSError as error:
        raise Unavailable(f"the directory store's root cannot be opened: {error.strerror}") from error
    try:
        for part in parts:
            if make:
                _make(current, part)
            try:
                following = os.open(part, _DIRECTORY | os.O_NOFOLLOW, dir_fd=current)
            except NotADirectoryError as error:
                if not make:
                    raise
                text = f"{part.decode()!r} is no folder in this store, so nothing can be stored below it"
                raise Unholdable(text) from error
            os.close(current)
            current = following
        yield current
    finally:
        os.close(current)


def _make(parent: int, part: bytes) -> None:
    try:
        os.mkdir(part, dir_fd=parent)
    except FileExistsError:
        return
    os.fsync(parent)


@contextlib.contextmanager
def regular_file(parent: int, leaf: bytes) -> Iterator[int]:
    """An open regular file, for reading. Anything else that has this name counts as absent."""
    # O_NONBLOCK: opening a FIFO must not wait for a writer.
    file = os.open(leaf, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=parent)
    try:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            raise FileNotFoundError(errno.ENOENT, "not a regular file")
        yield file
    finally:
        os.close(file)


def describe(file: int, name: str, *, typed: bool = True) -> StoredObject:
    """What an open file holds. The ETag is made of its time and size: hashing every file would read the whole store.
    `typed` reads the first bytes where no content type was stored."""
    status = os.fstat(file)
    etag = _etag(status)
    properties = _properties(file, etag)
    metadata = properties.get("metadata")
    return StoredObject(
        name,
        status.st_size,
        etag=etag,
        modified=status.st_mtime_ns / 1e9,
        content_type=str(properties.get("content_type") or (content_type(file) if typed else UNKNOWN)),
        metadata=metadata if isinstance(metadata, dict) else {},
    )


def write_properties(file: int, kind: str, metadata: Mapping[str, str]) -> None:
    """Keep content type and metadata with the file, as it is now, where its file system has extended attributes."""
    properties = {
        "etag": _etag(os.fstat(file)),
        "content_type": kind,
        "metadata": {key.lower(): value for key, value in metadata.items()},
    }
    with contextlib.suppress(OSError):
        os.setxattr(file, _XATTR, json.dumps(properties).encode())


def _properties(file: int, etag: str) -> Mapping[str, Any]:
    """What was stored with the file, unless another program has written into it since."""
    with contextlib.suppress(OSError, ValueError):
        properties = json.loads(os.getxattr(file, _XATTR))
        if isinstance(properties, dict) and properties.get("etag") == etag:
            return properties
    return {}


def _etag(status: os.stat_result) -> str:
    return f"{status.st_mtime_ns:x}-{status.st_size:x}"


@dataclass(frozen=True, slots=True)
class TemporaryFile:
    """A file that is not whole yet: its descriptor, its name, and the descriptor of its directory."""

    file: int
    leaf: bytes
    parent: int


@contextlib.contextmanager
def temporary_file(root: Path) -> Iterator[TemporaryFile]:
    """A new file in the reserved directory. Gone afterwards, unless moved.

    It is locked as long as its writer lives, which is how `remove_leftovers` knows.
    """
    with directory(root, [RESERVED], make=True) as parent:
        leaf = uuid.uuid4().hex.encode()
        file = os.open(leaf, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666, dir_fd=parent)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield TemporaryFile(file, leaf, parent)
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(leaf, dir_fd=parent)
            os.close(file)


def remove_leftovers(root: Path) -> None:
    """Remove temporary files whose writer is dead: older than this process, and not locked."""
    try:
        with directory(root, [RESERVED]) as parent, os.scandir(parent) as entries:
            for entry in entries:
                _remove_if_left(parent, os.fsencode(entry.name))
    except FileNotFoundError:
        return


def _remove_if_left(parent: int, leaf: bytes) -> None:
    try:
        with regular_file(parent, leaf) as file:
            if os.fstat(file).st_mtime_ns >= _STARTED_NS:
                return
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.unlink(leaf, dir_fd=parent)
    except OSError:
        return


def touch(file: int, replaced: StoredObject | None) -> None:
    """Give the file a time of its own, and a later one than the replaced one's: the ETag is made of it."""
    now = time.time_ns()  # finer than the kernel's own stamps, which are alike within a tick of 4 ms
    if replaced is None:
        os.utime(file, ns=(now, now))
        return
    before = int(replaced.etag.rpartition("-")[0], 16)  # negative before 1970
    for step in (1, 1_000, 1_000_000, 2_000_000_000):  # some file systems know only coarser times
        at = max(now, before + step)
        os.utime(file, ns=(at, at))
        if os.fstat(file).st_mtime_ns > before:
            return


def move(temporary: TemporaryFile, parent: int, leaf: bytes) -> None:
    """Publish a temporary file under its name in an open directory. Raises Unholdable when no file can be there."""
    with contextlib.suppress(FileNotFoundError):
        mode = os.stat(leaf, dir_fd=parent, follow_symlinks=False).st_mode
        if not stat.S_ISREG(mode) and not (stat.S_ISDIR(mode) and _remove_if_empty(parent, leaf)):
            raise Unholdable(f"{leaf.decode()!r} is a folder in this store, so no image can have this name")
    os.rename(temporary.leaf, leaf, src_dir_fd=temporary.parent, dst_dir_fd=parent)


def _remove_if_empty(parent: int, leaf: bytes) -> bool:
    """Remove a directory that holds nothing but directories that hold nothing; False when there is a file in it."""
    inner = os.open(leaf, _DIRECTORY | os.O_NOFOLLOW, dir_fd=parent)
    try:
        with os.scandir(inner) as entries:
            for entry in entries:
                child = os.fsencode(entry.name)
                if not entry.is_dir(follow_symlinks=False) or not _remove_if_empty(inner, child):
                    return False
    finally:
        os.close(inner)
    os.rmdir(leaf, dir_fd=parent)
    return True
