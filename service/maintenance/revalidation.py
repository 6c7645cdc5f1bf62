"""Revalidate this node's caches: compare them with the listing of the originals, at intervals where that is the cheaper
way (`questions` is the other).

Listing and tree are walked side by side, both in the byte order of the names, so memory holds a page of the one and a
batch of the other. An image whose marker does not bear the listing's fingerprint is only suspected: the store is asked
for it, since listings lag behind, and only its answer makes this node forget.

An image is not seen while its folder is moved away with that of a forgotten image above it. So a sweep during which
folders came back is followed by another at once.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from gateway.names import folder_path
from gateway.rules import ORIGINAL_TYPES
from service.cache.disk import DerivedTree
from service.cache.images import Cached, cached_images, hashed_images
from service.cache.marker import fingerprint
from service.cache.walk import batches
from service.derivatives.derivatives import Derivatives
from service.maintenance.questions import Questions
from service.originals.originals import Originals
from service.store.base import Container, StoredObject
from service.store.errors import StoreError

PAGE = 5000  # names of the listing at once
AT_ONCE = 8  # questions to the store
_JPEG = ORIGINAL_TYPES["jpg"]
NOTHING = -1  # the fingerprint where there is nothing to compare
LOG_EVERY = 600.0  # seconds between two log lines about a store that cannot be listed

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Sweep:
    """One comparison: originals listed, images on this node, those of them that the store was asked for, folders that
    were away for some of it, and bytes of the originals that the listing calls JPEG."""

    listed: int = 0
    jpeg_bytes: int = 0
    cached: int = 0
    suspected: int = 0
    returned: int = 0
    seconds: float = 0.0


@dataclass(eq=False, repr=False)
class Revalidation:
    """Compares the listing of a container with the derived tree below a root, at intervals."""

    _container: Container
    _originals: Originals
    _derivatives: Derivatives
    _tree: DerivedTree
    _interval: float  # seconds
    _executor: ThreadPoolExecutor
    questions: Questions

    def __post_init__(self) -> None:
        self.last: Sweep | None = None
        self.failures = 0
        self.finished = 0.0  # when the last sweep ended well, monotonic

    @property
    def originals(self) -> int | None:
        """How many originals the store held at the last look; None before that."""
        if self.last and self.questions.mode == "list":
            return self.last.listed
        return self.questions.originals.images if self.questions.originals else None

    async def run(self) -> None:
        """Sweep again and again where that is the cheaper way, until cancelled.

        Raises anything unexpected; it can be begun again.
        """
        logged_at = -LOG_EVERY
        while True:
            began = time.monotonic()
            again = False
            try:
                if await self.questions.choose() == "list":
                    self.last = await self.sweep()
                    self.finished = time.monotonic()
                    again = bool(self.last.returned)
            except (StoreError, OSError) as error:
                self.failures += 1
                if began - logged_at >= LOG_EVERY:
                    logged_at = began
                    log.warning("the originals cannot be compared with the caches: %s", error)
            except Exception:
                self.failures += 1
                raise
            took = time.monotonic() - began
            await asyncio.sleep(max(0.0 if again else self._interval - took, took / 4, 0.05))

    async def sweep(self) -> Sweep:
        """Compare everything once. Raises StoreError, with what was found until then done."""
        sweep, began, root = Sweep(), time.monotonic(), self._tree.root
        before = await self._tree.settled()
        cached = _Ahead(batches(cached_images(root), self._executor))
        hashed = {one.name: one.fingerprint async for one in _Ahead(batches(hashed_images(root), self._executor))}
        async with _Suspects(self._settle) as suspects:
            async for page in self._pages():
                sweep.listed += len(page)
                sweep.jpeg_bytes += sum(one.bytes for one in page if one.content_type == _JPEG)
                for stored in page:
                    self.questions.used.listed(stored, began)
                    async for gone in cached.until(stored.name):
                        await suspects.add(gone.name)
                    here = await cached.take_if(stored.name)
                    if self._is_suspect(stored, here.fingerprint if here else _take_hashed(stored.name, hashed)):
                        await suspects.add(stored.name)
                await asyncio.sleep(0)
            async for gone in cached:
                await suspects.add(gone.name)
        for folder in hashed:
            self._derivatives.forget_folder(folder)
        sweep.cached, sweep.suspected = cached.taken, suspects.count
        sweep.returned = await self._tree.settled() - before
        sweep.seconds = time.monotonic() - began
        return sweep

    def _is_suspect(self, stored: StoredObject, mark: int | None) -> bool:
        """Return True if the listing has another original than the marker, or than this process remembers."""
        known = self._originals.known(stored.name)
        if known and (known.etag, int(known.modified)) != (stored.etag, int(stored.modified)):
            return True
        return mark != NOTHING and mark != fingerprint(stored.etag, stored.modified)

    async def _settle(self, name: str) -> None:
        await self.questions.settle(name)

    async def _pages(self) -> AsyncIterator[list[StoredObject]]:
        marker: str | None = ""
        while marker is not None:
            began = time.monotonic()
            page = await self._container.list(marker=marker, limit=PAGE)
            self.questions.costs.listed(time.monotonic() - began, len(page.objects))
            yield list(page.objects)
            marker = page.marker


def _take_hashed(image: str, hashed: dict[str, int | None]) -> int | None:
    """The fingerprint of an image that lies under the hash of its name; what is not taken is gone."""
    folder, held = folder_path(image)
    return NOTHING if held or not hashed else hashed.pop(folder, NOTHING)


class _Ahead:
    """The images on this node, one by one, with a look at the next."""

    def __init__(self, source: AsyncIterator[list[Cached]]) -> None:
        self.taken = 0
        self._source = source
        self._next: deque[Cached] = deque()

    def __aiter__(self) -> AsyncIterator[Cached]:
        return self

    async def __anext__(self) -> Cached:
        if not self._next:
            self._next.extend(await anext(self._source))
        self.taken += 1
        return self._next.popleft()

    async def until(self, name: str) -> AsyncIterator[Cached]:
        """Those that come before a name."""
        while await self._fill() and self._next[0].name < name:
            yield await anext(self)

    async def take_if(self, name: str) -> Cached | None:
        """The next, if it has this name."""
        return await anext(self) if await self._fill() and self._next[0].name == name else None

    async def _fill(self) -> bool:
        if not self._next:
            self._next.extend(await anext(self._source, []))
        return bool(self._next)


class _Suspects:
    """Settles names, a few at a time."""

    def __init__(self, settle: Callable[[str], Awaitable[None]]) -> None:
        self.count = 0
        self._settle = settle
        self._tasks: set[asyncio.Future[None]] = set()

    async def __aenter__(self) -> _Suspects:
        return self

    async def __aexit__(self, *error: object) -> None:
        for outcome in await asyncio.gather(*self._tasks, return_exceptions=True):
            if isinstance(outcome, BaseException):
                raise outcome

    async def add(self, name: str) -> None:
        """Have this name settled. Raises what settling an earlier one raised."""
        self.count += 1
        self._tasks.add(asyncio.ensure_future(self._settle(name)))
        if len(self._tasks) < AT_ONCE:
            return
        done, self._tasks = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
