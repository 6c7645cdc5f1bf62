"""A store in OpenStack Swift: one container for originals, one for derived images."""

from __future__ import annotations

import logging
import shlex
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from service.store.base import Lifetimes, Observation
from service.store.errors import Forbidden, NotFound, StoreError, Unavailable
from service.store.swift.auth import Refused
from service.store.swift.certificates import unusable_certificates
from service.store.swift.connections import Pool
from service.store.swift.container import SwiftContainer
from service.store.swift.incoming import SwiftIncoming
from service.store.swift.settings import SwiftSettings, credentials_missing

_log = logging.getLogger(__name__)

MISSING = "Swift has no container {0} for the originals; make it with: swift post {0} (or set store.swift.create: true)"


class SwiftStore:
    """The containers and the pool of connections to them. `pool` carries the counters."""

    remote = True
    folders: Mapping[str, Path] = MappingProxyType({})

    def __init__(self, settings: SwiftSettings) -> None:
        self._settings = settings
        self.pool = Pool(settings)
        self.breaker = self.pool.breaker
        self.temporary_urls = Lifetimes(settings.temp_url.lifetime, settings.temp_url.max_lifetime)
        self.redirect_from = settings.redirect
        self.originals = SwiftContainer(self.pool, settings, settings.container)
        self._derived_pool = (
            self.pool if settings.derived_account == "same" else Pool(replace(settings, storage_url=""))
        )
        self.derived = SwiftContainer(self._derived_pool, settings, settings.derived_container, derived=True)
        lasting, journal = replace(settings, delete_after=None), settings.journal_container
        self.journal = SwiftContainer(self._derived_pool, lasting, journal, derived=True) if journal else None

        self.incoming = SwiftIncoming(self.pool, settings) if settings.incoming_container else None

    @property
    def outbox(self) -> SwiftContainer | None:
        """The journal's container, where messages lie below a prefix of their own."""
        return self.journal

    async def inspect(self, report: Callable[[Observation], None]) -> None:
        """Start it and list an object. Of a Swift that can be used, only the incoming container is reported."""
        await self.start()
        await self.originals.list(limit=1)
        if self.incoming:
            await self.incoming.inspect(report)

    async def mend(self, report: Callable[[Observation], None]) -> None:
        if self.incoming:
            await self.start()
            await self.incoming.mend(report)

    async def start(self) -> None:
        """Log in, make the containers that are missing and may be made, and learn or make the keys of temporary URLs.

        Raises StoreError when the settings are wrong, Unavailable when Swift cannot be reached: then everything is
        made later, when it is needed.
        """
        if mistake := self._settings.mistake or unusable_certificates(self._settings.cacert):
            raise StoreError(mistake)
        if missing := credentials_missing(self._settings):
            keys = ", ".join(f"store.swift.{name}" for name in missing)
            raise StoreError(f"Swift cannot be used without {keys}")
        try:
            await self._prepare_derived()
            await self._prepare_journal()
            await self.originals.prepare()
            if self.incoming:
                await self.incoming.prepare()
        except (Refused, Forbidden) as error:
            raise StoreError(str(error)) from error
        except NotFound as error:
            raise StoreError(MISSING.format(shlex.quote(self._settings.container))) from error

    async def _prepare_derived(self) -> None:
        """As `SwiftContainer.prepare`; where nothing is persisted, a user who may not use the container goes on."""
        try:
            await self.derived.prepare()
        except Forbidden as error:
            if self._settings.derived_needed:
                raise Forbidden(f"{error}; or set cache.persist: never") from error
            _log.warning("derived images are in the caches alone: %s", error)

    async def _prepare_journal(self) -> None:
        """Make sure of the journal. It only makes nodes see changes earlier, so that a start goes on without it."""
        if self.journal is None:
            return
        try:
            await self.journal.prepare(urls=False)
        except Unavailable as error:
            if not isinstance(error, Forbidden):
                raise
            self._have_no_journal(error)
        except StoreError as error:
            self._have_no_journal(error)

    def _have_no_journal(self, error: StoreError) -> None:
        self.journal = None
        _log.warning("there is no journal, so nodes see each other's changes later: %s", error)

    def now(self) -> float | None:
        """The time of Swift's clock, in seconds since the epoch; None before its first answer."""
        return self._derived_pool.clock.now(time.monotonic())

    async def close(self) -> None:
        if self.incoming:
            await self.incoming.close()
        self.pool.close()
        self._derived_pool.close()
