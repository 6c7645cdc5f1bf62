"""The files below one directory, as a container of objects."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from service.store.base import UNCONDITIONAL, NewObject, Page, Precondition, StoredObject, TemporaryUrl, Usage
from service.store.directory.folder import Folder
from service.store.directory.urls import UrlSigner
from service.store.errand import run
from service.store.errors import NoTemporaryUrls, NotFound
from service.store.naming import storable


class DirectoryContainer:
    """A container whose objects are the files below `root`. `Folder` does the work, in threads of `executor`.

    `derived` and `not_images` are those of `Folder`; `urls` makes temporary URLs. `beside` is a folder of the caches.
    Every request looks at their disk without a thread, so what lies on it too is looked for in the same way.

    Content type and metadata are stored in extended attributes. They hold until another program writes into the file.
    Where the file system has no such attributes, metadata is lost, and the content type is read from the first bytes.
    The container does not show files and folders that this user may not read. It ignores `delete_after`.
    """

    def __init__(
        self,
        root: Path,
        executor: ThreadPoolExecutor,
        *,
        derived: bool = False,
        urls: UrlSigner | None = None,
        not_images: frozenset[str] = frozenset(),
        beside: Path | None = None,
    ) -> None:
        self._root = root
        self._beside = beside
        self._on_their_disk = False
        self._executor = executor
        self._derived = derived
        self._urls = urls
        self._folder = Folder(root, derived=derived, not_images=not_images)

    async def start(self, option: str, *, make: bool) -> None:
        """`option` is what names the root in the configuration. Raises Unavailable, StoreFull."""
        await run(self._executor, lambda _: self._folder.start(option, make=make))
        self._on_their_disk = self._beside is not None and _device(self._root) == _device(self._beside)

    async def stat(self, name: str, *, newest: bool = False) -> StoredObject:  # there is one version
        if self._on_their_disk and self._lacks(name):
            raise NotFound(f"there is no {name!r}")
        return await run(self._executor, lambda _: self._folder.stat(name))

    async def fetch(self, name: str, target: Path, *, newest: bool = False) -> StoredObject:  # as above
        """As in `Container`. An OSError of the target itself (its disk is full) passes as it is."""
        return await run(self._executor, partial(self._folder.fetch, name), target)

    async def put(self, new: NewObject) -> StoredObject:
        return await run(self._executor, partial(self._folder.put, new))

    async def delete(self, name: str, precondition: Precondition = UNCONDITIONAL) -> None:
        await run(self._executor, lambda _: self._folder.delete(name, precondition))

    async def delete_all(self, names: Sequence[str]) -> int:
        """As in `Container`."""
        return await run(self._executor, partial(self._folder.delete_all, names))

    async def list(
        self, *, prefix: str = "", delimiter: str = "", marker: str = "", limit: int = 1000, typed: bool = False
    ) -> Page:
        return await run(self._executor, lambda _: self._folder.list(prefix, delimiter, marker, limit, typed))

    async def usage(self) -> Usage:
        """As in `Container`; it reads the whole tree."""
        return await run(self._executor, self._folder.usage)

    async def temporary_url(
        self, name: str, *, lifetime: float, filename: str | None = None, inline: bool = False
    ) -> TemporaryUrl:
        urls = self._urls
        if urls is None:
            raise NoTemporaryUrls("this directory store was opened without temporary URLs")
        await self.stat(name)
        stored = storable(name) if self._derived else name
        signed = partial(urls.url, stored, lifetime=lifetime, filename=filename, inline=inline)
        return await run(self._executor, lambda _: signed())

    def _lacks(self, name: str) -> bool:
        """Whether the root is there and has nothing of this name. Where the disk does not tell, it may have."""
        stored = storable(name) if self._derived else name
        try:
            os.lstat(os.fsencode(self._root) + b"/" + stored.encode())
        except (FileNotFoundError, NotADirectoryError):
            return os.path.isdir(self._root)  # noqa: PTH112  # in two thirds of the time of Path's
        except (OSError, ValueError):
            return False
        return False


def _device(folder: Path) -> int | None:
    """The file system of a folder, None where there is no folder."""
    with contextlib.suppress(OSError):
        return folder.stat().st_dev
    return None
