"""Reads and writes the files below one directory; every call blocks."""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

from service.store.base import UNCONDITIONAL, NewObject, Page, Precondition, StoredObject, Usage
from service.store.directory.counting import counted
from service.store.directory.files import (
    TemporaryFile,
    describe,
    directory,
    failure,
    is_absent,
    move,
    regular_file,
    remove_leftovers,
    segments,
    temporary_file,
    touch,
    write_properties,
)
from service.store.directory.listing import list_directory
from service.store.directory.settings import MISSING
from service.store.directory.translation import permitted, translated
from service.store.errand import Errand
from service.store.errors import Corrupt, NotFound, Unavailable, Unholdable
from service.store.naming import storable

_CHUNK = 1 << 20
_READ = 1 << 17
"""Bytes that are hashed and written at once. Larger blocks are mapped anew (`runtime.allocation`), a page fault for
each page: 1.8 MB take 1.2 ms, and 1.9 by 1 MiB."""


class Folder:
    """The objects in the files below `root`. `errand` is checked between chunks, so that a call can be cancelled.

    `derived` allows segments that begin with `@`; a last segment that is too long for a file system is stored under its
    hash, by which listings name it. Listings leave out files whose names end with one of the extensions `not_images`,
    unless their content is an image.
    """

    def __init__(self, root: Path, *, derived: bool, not_images: frozenset[str]) -> None:
        self._folder = root
        self._derived = derived
        self._not_images = not_images
        self._lock = threading.Lock()  # between looking and renaming, and between making and removing directories

    def start(self, option: str, *, make: bool) -> None:
        """Checks or makes the root, which the option names. Raises Unavailable, StoreFull."""
        try:
            if make:
                self._root.mkdir(parents=True, exist_ok=True)
            elif not self._root.is_dir():
                raise Unavailable(f"{option}: {MISSING.format(folder=self._root)}")
            remove_leftovers(self._root)
        except OSError as error:
            raise failure(error) from error

    def stat(self, name: str) -> StoredObject:
        with self._opened(name) as file:
            return describe(file, name)

    def fetch(self, name: str, errand: Errand) -> StoredObject:
        with self._opened(name) as file, errand.writing() as target:
            before = describe(file, name)
            while os.sendfile(target.fileno(), file, None, _CHUNK) > 0:
                errand.check()
            # Our own writers replace files; other programs may write into them while we read.
            after = describe(file, name, typed=False)
            if after.etag != before.etag or os.fstat(target.fileno()).st_size != before.bytes:
                raise Corrupt(f"{name!r} was changed while it was read")
            return before

    def put(self, new: NewObject, errand: Errand) -> StoredObject:
        path = self._segments(new.name)
        if path is None:
            raise Unholdable(f"{new.name!r} cannot be the path of a file")
        with new.opened() as data, translated():
            with permitted(new.name):
                present = self._present(path, new.name)
            new.precondition.check(present)  # before a large file is copied for nothing
            with temporary_file(self._root) as temporary:
                algorithm, announced = ("sha256", new.sha256) if new.sha256 else ("md5", new.md5)
                digest = hashlib.new(algorithm, usedforsecurity=False)
                while chunk := data.read(_READ):
                    errand.check()
                    digest.update(chunk)
                    _write(temporary.file, chunk)
                if digest.hexdigest() != announced.lower():
                    raise Corrupt(f"{new.name!r} has another {algorithm.upper()} than was announced")
                _stamp(new, temporary, present)
                return self._publish(new, path, temporary, errand, present)

    def delete(self, name: str, precondition: Precondition) -> None:
        path = self._segments(name)
        with translated(name), self._lock:
            present = None if path is None else self._present(path, name)
            if path is None or present is None:
                raise NotFound(f"there is no {name!r}")
            precondition.check(present)
            with permitted(name), directory(self._root, path[:-1]) as parent:
                os.unlink(path[-1], dir_fd=parent)
                os.fsync(parent)
            for depth in range(len(path) - 1, 0, -1):
                with directory(self._root, path[: depth - 1]) as parent:
                    try:
                        os.rmdir(path[depth - 1], dir_fd=parent)
                    except OSError:
                        return

    def delete_all(self, names: Sequence[str], errand: Errand) -> int:
        removed = 0
        for name in names:
            errand.check()
            with contextlib.suppress(NotFound):
                self.delete(name, UNCONDITIONAL)
                removed += 1
        return removed

    def list(self, prefix: str, delimiter: str, marker: str, limit: int, typed: bool) -> Page:
        with translated():
            return list_directory(
                *(self._root, prefix, delimiter, marker, limit),
                derived=self._derived,
                typed=typed,
                not_images=self._not_images,
            )

    def usage(self, errand: Errand) -> Usage:
        with translated():
            return counted(self._root, self._not_images, errand)

    def _publish(
        self,
        new: NewObject,
        path: Sequence[bytes],
        temporary: TemporaryFile,
        errand: Errand,
        before: StoredObject | None,
    ) -> StoredObject:
        with contextlib.ExitStack() as stack:
            with self._lock, permitted(new.name):
                present = self._present(path, new.name)
                new.precondition.check(present)
                if present != before:  # another writer was faster
                    _stamp(new, temporary, present)
                errand.check()
                parent = stack.enter_context(directory(self._root, path[:-1], make=True))
                stored = describe(temporary.file, new.name)  # before others can write into the file
                move(temporary, parent, path[-1])
            os.fsync(parent)
        return stored

    @property
    def _root(self) -> Path:
        if self._derived and not self._folder.is_dir():  # it may be deleted at any time, and comes back
            with contextlib.suppress(OSError):
                self._folder.mkdir(exist_ok=True)
        return self._folder

    def _segments(self, name: str) -> Sequence[bytes] | None:
        return segments(storable(name) if self._derived else name)

    def _present(self, path: Sequence[bytes], name: str) -> StoredObject | None:
        """What would be replaced or deleted. Raises PermissionError where we may not read it."""
        try:
            with directory(self._root, path[:-1]) as parent, regular_file(parent, path[-1]) as file:
                return describe(file, name)
        except PermissionError:
            raise
        except OSError as error:
            if is_absent(error):
                return None
            raise

    @contextlib.contextmanager
    def _opened(self, name: str) -> Iterator[int]:
        path = self._segments(name)
        if path is None:
            raise NotFound(f"there is no {name!r}")
        with contextlib.ExitStack() as stack:
            with translated(name):
                parent = stack.enter_context(directory(self._root, path[:-1]))
                file = stack.enter_context(regular_file(parent, path[-1]))
            yield file


def _stamp(new: NewObject, temporary: TemporaryFile, replaced: StoredObject | None) -> None:
    """Give a whole file its time and, with it, its properties, and see that they reach the disk."""
    touch(temporary.file, replaced)
    write_properties(temporary.file, new.content_type, new.metadata)
    os.fsync(temporary.file)


def _write(file: int, chunk: bytes) -> None:
    rest = memoryview(chunk)
    while rest:
        rest = rest[os.write(file, rest) :]
