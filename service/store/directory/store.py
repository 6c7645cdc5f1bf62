"""A store in two directories. Originals are plain files by their names, so any directory of pictures can be served."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from gateway.temp_urls import DERIVED, ORIGINALS
from service.store.base import Lifetimes, Observation
from service.store.directory import inspection
from service.store.directory.container import DirectoryContainer
from service.store.directory.incoming import DirectoryIncoming
from service.store.directory.settings import DERIVED_ROOT, INCOMING, OUTBOX_ROOT, ROOT, DirectorySettings
from service.store.directory.urls import UrlSigner

_THREADS = 8


class DirectoryStore:
    """Two directories and the threads that wait for their disks."""

    redirect_from = 0
    breaker = None
    remote = False
    journal = None

    def __init__(self, settings: DirectorySettings) -> None:
        self._executor = ThreadPoolExecutor(_THREADS, thread_name_prefix="directory-store")
        urls, passed_over = settings.urls, settings.not_images
        to_originals, to_derived = (UrlSigner(urls, one) if urls else None for one in (ORIGINALS, DERIVED))
        self.originals = DirectoryContainer(settings.root, self._executor, urls=to_originals, not_images=passed_over)
        self.derived = DirectoryContainer(
            settings.derived, self._executor, derived=True, urls=to_derived, beside=settings.caches
        )
        outbox = settings.outbox
        self.outbox = DirectoryContainer(outbox, self._executor, derived=True) if outbox else None
        self.temporary_urls = Lifetimes(urls.lifetime, urls.max_lifetime) if urls else Lifetimes()
        self.folders = {ROOT: settings.root, **settings.others()}
        self.incoming = None
        if urls and settings.incoming:
            self.incoming = DirectoryIncoming(settings.incoming, urls, settings.incoming_quota, self._executor)
            self.folders[INCOMING] = settings.incoming
        self._settings = settings

    async def inspect(self, report: Callable[[Observation], None]) -> None:
        for observation in inspection.observations(self._settings):
            report(observation)
        if self._settings.root.is_dir():
            await self.originals.list(limit=1)

    async def mend(self, _report: Callable[[Observation], None]) -> None:
        """There is nothing that a start would not make."""

    async def start(self) -> None:
        """Make the directories that are missing and may be made, and remove what a crash left. Raises Unavailable,
        StoreFull."""
        await self.originals.start(ROOT, make=self._settings.makes_root())
        await self.derived.start(DERIVED_ROOT, make=self._settings.makes(self._settings.derived))
        if self.outbox and self._settings.outbox:
            await self.outbox.start(OUTBOX_ROOT, make=self._settings.makes(self._settings.outbox))

    def now(self) -> float | None:
        """This machine's time."""
        return time.time()

    async def close(self) -> None:
        self._executor.shutdown(wait=False, cancel_futures=True)
