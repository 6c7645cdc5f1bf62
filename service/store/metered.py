"""A store that counts what it is asked: calls and their seconds, and failures by kind."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path

from prometheus_client import Counter, Histogram

from service.observability import timings
from service.store.base import (
    UNCONDITIONAL,
    Container,
    NewObject,
    Observation,
    Page,
    Precondition,
    Store,
    StoredObject,
    TemporaryUrl,
    Usage,
)
from service.store.errors import StoreError, Unavailable
from service.store.incoming import IncomingContainer, PutUrl, Taken

JOURNAL, OUTBOX, INCOMING = "journal", "outbox", "incoming"
BUCKETS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
SECONDS = Histogram(
    "image_gateway_store_seconds",
    "Time of calls to the store, by container and call.",
    ["container", "call"],
    buckets=BUCKETS,
    registry=None,
)
ERRORS = Counter(
    "image_gateway_store_errors",
    "Calls to the store that ended with an error. NotFound, Exists, PreconditionFailed: the store itself is well.",
    ["container", "call", "error"],
    registry=None,
)


_seconds, _errors = cache(SECONDS.labels), cache(ERRORS.labels)
"""By their labels. To find them takes longer than to count."""

StoreCall = Callable[[str, str], contextlib.AbstractContextManager[None]]
"""Makes what a call to the store is traced by, of the container and the call."""

_NOTHING = contextlib.nullcontext()


def untraced(_container: str, _call: str) -> contextlib.AbstractContextManager[None]:
    """A call is not traced."""
    return _NOTHING


class MeteredStore:
    """The store `inner`, metered. `trouble` is why the last call got no answer; None where it got one."""

    def __init__(self, inner: Store, span: StoreCall = untraced) -> None:
        self.span = span
        self.trouble: str | None = None
        self.originals: Container = MeteredContainer(inner.originals, "originals", self)
        self.derived: Container = MeteredContainer(inner.derived, "derived", self)
        self.journal: Container | None = MeteredContainer(inner.journal, JOURNAL, self) if inner.journal else None
        self.outbox: Container | None = MeteredContainer(inner.outbox, OUTBOX, self) if inner.outbox else None
        self.now = inner.now
        self.temporary_urls = inner.temporary_urls
        self.redirect_from = inner.redirect_from
        self.breaker = inner.breaker
        self.incoming = MeteredIncoming(inner.incoming, self) if inner.incoming else None
        self.remote = inner.remote
        self.folders = inner.folders
        self._inner = inner

    async def inspect(self, report: Callable[[Observation], None]) -> None:
        await self._inner.inspect(report)

    async def mend(self, report: Callable[[Observation], None]) -> None:
        await self._inner.mend(report)

    async def start(self) -> None:
        try:
            await self._inner.start()
            if self._inner.journal is None:  # it may not be used
                self.journal = None
            if self._inner.outbox is None:
                self.outbox = None
        except StoreError as error:
            self.trouble = str(error)
            raise

    async def close(self) -> None:
        await self._inner.close()


class _Meter:
    """Counts the calls of one container under this name."""

    def __init__(self, name: str, store: MeteredStore) -> None:
        self._name = name
        self._store = store

    @contextlib.contextmanager
    def _metered(self, call: str) -> Iterator[None]:
        began = time.perf_counter()
        try:
            with self._store.span(self._name, call):
                yield
            self._note(None)
        except StoreError as error:
            self._note(str(error) if isinstance(error, Unavailable) else None)
            _errors(self._name, call, type(error).__name__).inc()
            raise
        finally:
            _seconds(self._name, call).observe(time.perf_counter() - began)

    def _note(self, trouble: str | None) -> None:
        """Note whether the store answers. Images are served without these, so they say nothing of the store."""
        if self._name not in (JOURNAL, OUTBOX, INCOMING):
            self._store.trouble = trouble


class MeteredContainer(_Meter):
    """The container `inner`, metered under this name."""

    def __init__(self, inner: Container, name: str, store: MeteredStore) -> None:
        super().__init__(name, store)
        self._inner = inner

    async def stat(self, name: str, *, newest: bool = False) -> StoredObject:
        with self._metered("stat"):
            return await self._inner.stat(name, newest=newest)

    async def fetch(self, name: str, target: Path, *, newest: bool = False) -> StoredObject:
        with self._metered("fetch"), timings.stage("fetch"):
            return await self._inner.fetch(name, target, newest=newest)

    async def put(self, new: NewObject) -> StoredObject:
        with self._metered("put"):
            return await self._inner.put(new)

    async def delete(self, name: str, precondition: Precondition = UNCONDITIONAL) -> None:
        with self._metered("delete"):
            await self._inner.delete(name, precondition)

    async def delete_all(self, names: Sequence[str]) -> int:
        with self._metered("delete_all"):
            return await self._inner.delete_all(names)

    async def list(
        self, *, prefix: str = "", delimiter: str = "", marker: str = "", limit: int = 1000, typed: bool = False
    ) -> Page:
        with self._metered("list"):
            return await self._inner.list(prefix=prefix, delimiter=delimiter, marker=marker, limit=limit, typed=typed)

    async def usage(self) -> Usage:
        with self._metered("usage"):
            return await self._inner.usage()

    async def temporary_url(
        self, name: str, *, lifetime: float, filename: str | None = None, inline: bool = False
    ) -> TemporaryUrl:
        with self._metered("temporary_url"):
            return await self._inner.temporary_url(name, lifetime=lifetime, filename=filename, inline=inline)


class MeteredIncoming(_Meter):
    """The incoming container `inner`, metered."""

    def __init__(self, inner: IncomingContainer, store: MeteredStore) -> None:
        super().__init__(INCOMING, store)
        self._inner = inner
        self.landing = inner.landing

    async def keys(self, *, anew: bool = False) -> Sequence[str]:
        return await self._inner.keys(anew=anew)

    async def put_url(self, name: str, expires: int) -> PutUrl:
        with self._metered("put_url"):
            return await self._inner.put_url(name, expires)

    async def take(self, name: str, size: int, target: Path) -> Taken:
        with self._metered("take"), timings.stage("fetch"):
            return await self._inner.take(name, size, target)

    async def discard(self, names: Sequence[str]) -> None:
        with self._metered("discard"):
            await self._inner.discard(names)

    async def sweep(self, now: float) -> int:
        with self._metered("sweep"):
            return await self._inner.sweep(now)
