"""A store in two directories: originals are plain files by their names, so any directory of pictures is one."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from service.store.base import (
    Corrupt,
    NoTemporaryUrls,
    NotFound,
    Page,
    StoredObject,
    TemporaryUrl,
    Unholdable,
)
from service.store.condition import Condition
from service.store.directory_files import (
    TemporaryFile,
    describe,
    directory,
    failure,
    is_absent,
    keep_properties,
    move,
    regular_file,
    remove_leftovers,
    segments,
    temporary_file,
    touch,
)
from service.store.directory_listing import list_directory
from service.store.errand import Errand, run

_CHUNK = 1 << 20
_THREADS = 8


@dataclass(frozen=True, slots=True)
class DirectorySettings:
    """Where the originals lie, and where derived images are kept that have been asked to stay."""

    root: Path
    derived: Path


class DirectoryStore:
    """Two directories and the threads that wait for their disks."""

    def __init__(self, settings: DirectorySettings) -> None:
        self._executor = ThreadPoolExecutor(_THREADS, thread_name_prefix="directory-store")
        self.originals = DirectoryContainer(settings.root, self._executor)
        self.derived = DirectoryContainer(settings.derived, self._executor, derived=True)

    async def start(self) -> None:
        """Make the directories that are missing and remove what a crash left. Raises Unavailable, StoreFull."""
        for container in (self.originals, self.derived):
            await container.start()

    async def close(self) -> None:
        self._executor.shutdown(wait=False, cancel_futures=True)


class DirectoryContainer:
    """The files below `root`. `derived` tells that names may have segments that begin with `@`.

    Content type and metadata are kept where the file system has extended attributes; elsewhere they are lost, the
    bytes never. Expiry is ignored.
    """

    def __init__(self, root: Path, executor: ThreadPoolExecutor, *, derived: bool = False) -> None:
        self._root = root
        self._executor = executor
        self._derived = derived
        self._lock = threading.Lock()  # between looking and renaming, and between making and removing directories

    async def start(self) -> None:
        await run(self._executor, self._start)

    async def stat(self, name: str) -> StoredObject:
        return await run(self._executor, lambda _: self._stat(name))

    async def fetch(self, name: str, target: Path) -> StoredObject:
        """As in `Container`. An OSError of the target itself (its disk is full) passes as it is."""
        return await run(self._executor, partial(self._fetch, name), target)

    async def put(
        self,
        name: str,
        source: Path,
        *,
        content_type: str,
        md5: str,
        metadata: Mapping[str, str] | None = None,
        replace: bool = True,
        if_match: str | None = None,
        delete_after: int | None = None,
    ) -> StoredObject:
        path = segments(name)
        if path is None:
            raise Unholdable(f"{name!r} cannot be the path of a file")
        upload = _Upload(name, path, source, content_type, md5, metadata or {}, Condition(name, replace, if_match))
        return await run(self._executor, partial(self._put, upload))

    async def delete(self, name: str, *, if_match: str | None = None) -> None:
        await run(self._executor, lambda _: self._delete(name, if_match))

    async def list(self, *, prefix: str = "", delimiter: str = "", marker: str = "", limit: int = 1000) -> Page:
        return await run(self._executor, lambda _: self._list(prefix, delimiter, marker, limit))

    async def temporary_url(
        self, name: str, *, lifetime: float, filename: str | None = None, inline: bool = False
    ) -> TemporaryUrl:
        raise NoTemporaryUrls("a directory store has no temporary URLs; a Swift store has")

    def _start(self, _: Errand) -> None:
        try:
            self._root.mkdir(parents=True, exist_ok=True)
            remove_leftovers(self._root)
        except OSError as error:
            raise failure(error) from error

    def _stat(self, name: str) -> StoredObject:
        with self._opened(name) as file:
            return describe(file, name)

    def _fetch(self, name: str, errand: Errand) -> StoredObject:
        with self._opened(name) as file, errand.writing() as target:
            before = describe(file, name)
            while os.sendfile(target.fileno(), file, None, _CHUNK) > 0:
                errand.check()
            # Our own writers replace files; somebody else's may write into them while we read.
            if describe(file, name) != before or os.fstat(target.fileno()).st_size != before.bytes:
                raise Corrupt(f"{name!r} was changed while it was read")
            return before

    def _put(self, upload: _Upload, errand: Errand) -> StoredObject:
        with upload.source.open("rb", buffering=0) as data, _translated():
            upload.condition.check(self._present(upload.path, upload.name))  # before a large file is copied for nothing
            with temporary_file(self._root) as temporary:
                digest = hashlib.md5(usedforsecurity=False)
                while chunk := data.read(_CHUNK):
                    errand.check()
                    digest.update(chunk)
                    _write(temporary.file, chunk)
                if digest.hexdigest() != upload.md5.lower():
                    raise Corrupt(f"{upload.name!r} has another MD5 than was announced")
                keep_properties(temporary.file, upload.content_type, upload.metadata)
                touch(temporary.file, None)
                os.fsync(temporary.file)
                return self._publish(upload, temporary, errand)

    def _publish(self, upload: _Upload, temporary: TemporaryFile, errand: Errand) -> StoredObject:
        with contextlib.ExitStack() as stack:
            with self._lock:
                present = self._present(upload.path, upload.name)
                upload.condition.check(present)
                if present is not None:
                    touch(temporary.file, present)
                errand.check()
                parent = stack.enter_context(directory(self._root, upload.path[:-1], make=True))
                move(temporary, parent, upload.path[-1])
            os.fsync(parent)
        return describe(temporary.file, upload.name)

    def _delete(self, name: str, if_match: str | None) -> None:
        path = segments(name)
        with _translated(name), self._lock:
            present = None if path is None else self._present(path, name)
            if path is None or present is None:
                raise NotFound(f"there is no {name!r}")
            Condition(name, True, if_match).check(present)
            with directory(self._root, path[:-1]) as parent:
                os.unlink(path[-1], dir_fd=parent)
                os.fsync(parent)
            for depth in range(len(path) - 1, 0, -1):
                with directory(self._root, path[: depth - 1]) as parent:
                    try:
                        os.rmdir(path[depth - 1], dir_fd=parent)
                    except OSError:
                        return

    def _list(self, prefix: str, delimiter: str, marker: str, limit: int) -> Page:
        with _translated():
            return list_directory(self._root, prefix, delimiter, marker, limit, derived=self._derived)

    def _present(self, path: Sequence[bytes], name: str) -> StoredObject | None:
        try:
            with directory(self._root, path[:-1]) as parent, regular_file(parent, path[-1]) as file:
                return describe(file, name)
        except OSError as error:
            if is_absent(error):
                return None
            raise

    @contextlib.contextmanager
    def _opened(self, name: str) -> Iterator[int]:
        path = segments(name)
        if path is None:
            raise NotFound(f"there is no {name!r}")
        with contextlib.ExitStack() as stack:
            with _translated(name):
                parent = stack.enter_context(directory(self._root, path[:-1]))
                file = stack.enter_context(regular_file(parent, path[-1]))
            yield file


@dataclass(frozen=True, slots=True)
class _Upload:
    name: str
    path: Sequence[bytes]
    source: Path
    content_type: str
    md5: str
    metadata: Mapping[str, str]
    condition: Condition


@contextlib.contextmanager
def _translated(name: str | None = None) -> Iterator[None]:
    """Turn errors of the disk into those of a store; with a name, its absence into NotFound."""
    try:
        yield
    except OSError as error:
        if name is not None and is_absent(error):
            raise NotFound(f"there is no {name!r}") from error
        if error.errno == errno.ENAMETOOLONG:
            raise Unholdable("a segment of the name is longer than this file system holds") from error
        raise failure(error) from error


def _write(file: int, chunk: bytes) -> None:
    rest = memoryview(chunk)
    while rest:
        rest = rest[os.write(file, rest) :]
