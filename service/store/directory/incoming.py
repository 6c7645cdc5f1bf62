"""The incoming container of a directory store: files in one folder, which clients PUT to the API port."""

from __future__ import annotations

import contextlib
import os
import secrets
import threading
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from gateway.errors import Refused
from gateway.put_urls import admit, put_url
from service.store.directory.files import failure
from service.store.directory.key import key_of
from service.store.directory.urls import UrlSettings
from service.store.errand import Errand, run
from service.store.errors import IncomingFull, NotArrived, NotAsAnnounced
from service.store.incoming import PutUrl, Taken, expiry_of, is_name

_PART = ".part-"  # begins the name of a file that is not whole yet
_PATIENCE = 86400.0  # seconds after which an unfinished file that nothing was written to counts as left behind
_CHUNK = 1 << 20


class DirectoryIncoming:
    """The files of `folder`, which is made when the first comes; they and what is on its way take `quota` bytes at most
    (of what is on its way, this process counts its own)."""

    def __init__(self, folder: Path, urls: UrlSettings, quota: int, executor: ThreadPoolExecutor) -> None:
        self._folder = folder
        self._urls = urls
        self._quota = quota
        self._executor = executor
        self._lock = threading.Lock()
        self._on_its_way = 0  # bytes
        self.landing = self

    async def keys(self, *, anew: bool = False) -> Sequence[str]:  # they are read every time
        return await run(self._executor, lambda _: self._keys())

    async def put_url(self, name: str, expires: int) -> PutUrl:
        key = (await self.keys())[0]
        return PutUrl(put_url(name, expires, key, self._urls.digest), expires)

    async def take(self, name: str, size: int, target: Path) -> Taken:
        """As in `IncomingContainer`. `target` itself is the copy."""
        await run(self._executor, partial(self._take, name, size), target)
        return Taken()

    async def discard(self, names: Sequence[str]) -> None:
        await run(self._executor, lambda _: self._discard(names))

    async def sweep(self, now: float) -> int:
        return await run(self._executor, partial(self._sweep, now))

    async def admit(self, path: str, query: str, now: float) -> str:
        """As in `Landing`."""
        name = admit(path, query, await self.keys(), self._urls.digest, now)
        if not is_name(name):
            raise Refused(400, "the URL is none that POST /uploads has given")
        return name

    @contextlib.asynccontextmanager
    async def receiving(self, name: str, size: int) -> AsyncIterator[Path]:
        """As in `Landing`."""
        part = self._folder / f"{_PART}{secrets.token_hex(16)}"
        with self._lock:
            self._on_its_way += size
        try:
            await run(self._executor, lambda _: self._check_room(name))
            yield part
            with _translated():
                part.rename(self._folder / name)
        finally:
            with self._lock:
                self._on_its_way -= size
            part.unlink(missing_ok=True)

    def _keys(self) -> Sequence[str]:
        return self._urls.keys or (key_of(self._urls.folders),)

    def _check_room(self, name: str) -> None:
        """Raises IncomingFull where what is on its way does not fit."""
        with _translated(), self._lock:
            self._folder.mkdir(parents=True, exist_ok=True)
            held = sum(map(_size, (entry for entry in self._objects() if entry.name != name)))
            if held + self._on_its_way > self._quota:
                raise IncomingFull(f"uploads that wait to be finished may take {self._quota} bytes (intake.quota)")

    def _take(self, name: str, size: int, errand: Errand) -> None:
        try:
            source = (self._folder / name).open("rb", buffering=0)
        except FileNotFoundError:
            raise NotArrived("nothing has been sent to the URL of this upload") from None
        except OSError as error:
            raise failure(error) from error
        with source:
            held = os.fstat(source.fileno()).st_size
            if held != size:
                raise NotAsAnnounced(f"{held} bytes were sent, and {size} were announced")
            with errand.writing() as target:
                while os.sendfile(target.fileno(), source.fileno(), None, _CHUNK) > 0:
                    errand.check()

    def _discard(self, names: Sequence[str]) -> None:
        for name in filter(is_name, names):
            with contextlib.suppress(FileNotFoundError):
                (self._folder / name).unlink()

    def _sweep(self, now: float, errand: Errand) -> int:
        removed = 0
        with contextlib.suppress(FileNotFoundError):
            for entry in self._entries():
                errand.check()
                if _is_over(entry, now):
                    with contextlib.suppress(FileNotFoundError):
                        Path(entry.path).unlink()
                        removed += 1
        return removed

    def _objects(self) -> Iterator[os.DirEntry[str]]:
        return (entry for entry in self._entries() if is_name(entry.name))

    def _entries(self) -> Iterator[os.DirEntry[str]]:
        with os.scandir(self._folder) as entries:
            yield from (entry for entry in entries if entry.is_file(follow_symlinks=False))


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise failure(error) from error


def _size(entry: os.DirEntry[str]) -> int:
    try:
        return entry.stat().st_size
    except FileNotFoundError:  # it has been finished meanwhile
        return 0


def _is_over(entry: os.DirEntry[str], now: float) -> bool:
    if is_name(entry.name):
        return expiry_of(entry.name) < now
    return entry.name.startswith(_PART) and entry.stat().st_mtime < time.time() - _PATIENCE
