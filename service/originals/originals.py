"""Fetch originals from the store, once and verified, and remember what is known of them."""

from __future__ import annotations

import contextlib
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from service.cache.flight import Flights
from service.cache.tickets import Tickets
from service.cache.usage import Usage
from service.cache.work import Work
from service.engine.job import Header, Saturated
from service.originals.header import SMALL
from service.originals.known import Known, header_of, is_over, shorten, version
from service.originals.lately_changed import LatelyChanged
from service.originals.local_copies import LocalCopies
from service.store.base import Container, StoredObject
from service.store.errors import NotFound, Unavailable

MOST_KNOWN = 20_000  # originals whose properties are remembered
MOST_MISSING = 4096  # names that are known to be missing
MISSING_FOR = 2.0  # seconds that a 404 is remembered
REASK = 1.0  # seconds between two questions about an original whose links name another version
MOST_ATTEMPTS = 10  # to have a copy that is replaced, or deleted by others, again and again

log = logging.getLogger(__name__)

Listener = Callable[[str, StoredObject | None], object]


@dataclass(frozen=True, slots=True)
class Original:
    """A complete copy of an original in `path`; `header` is what its first bytes give."""

    stored: StoredObject
    path: Path
    header: Header


class Originals:
    """What is known of originals, and their copies below `root`.

    `revalidate` is how many seconds old may be what is known of an original.
    """

    def __init__(self, container: Container, root: Path, work: Work, revalidate: float) -> None:
        self.root = root
        self.usage = Usage()
        self._copies = LocalCopies(root, self.usage)
        self._container = container
        self._work = work
        self._revalidate = revalidate
        self._listeners: list[Listener] = []
        self._known: OrderedDict[str, Known] = OrderedDict()
        self._missing: OrderedDict[str, float] = OrderedDict()
        self._lately_changed = LatelyChanged()
        self._questions: Flights[StoredObject] = Flights()
        self._fetches: Flights[Original | None] = Flights()
        self._tickets = Tickets()

    def on_change(self, listener: Listener) -> None:
        """Have `listener` called, on the event loop, with every name that may hold another original than it did, and
        what it holds now."""
        self._listeners.append(listener)

    async def stat(self, name: str, *, fresh: bool = False) -> StoredObject:
        """What the store holds under this name, not older than `revalidate` unless the store does not answer.

        Raises NotFound; Unavailable where nothing is known, or where it must be `fresh`.
        """
        if fresh:
            return await self._ask(name)
        now, known = time.monotonic(), self._known.get(name)
        if known and is_over(known.stored):
            self.learn(name, None)
            raise NotFound(name)
        if known and now - known.checked < self._revalidate:
            return known.stored
        if now - self._missing.get(name, -MISSING_FOR) < MISSING_FOR:
            raise NotFound(name)
        try:
            return await self._questions.join(name, lambda: self._ask(name))
        except Unavailable as error:
            if name not in self._known:
                raise
            log.warning("the store does not answer; what was known of %s holds on: %s", name, error)
            return self._known[name].stored

    async def get(self, name: str) -> Original:
        """The original, fetched if it is not here. Its copy is there when this returns; a caller that awaits anything
        before opening it has it `pinned`. Raises what the store raises, NotAnImage, Undecodable and Saturated."""
        for _ in range(MOST_ATTEMPTS):
            if self._is_new(name):
                original = await self._fetches.join(name, lambda: self._fetch(name))
                if original and original.path.exists():
                    return original
            stored = await self.stat(name)
            path = self._copies.path(stored)
            with self._copies.pinned(path):  # before it is fetched: another task may run between its arrival and ours
                found = self._copies.find(stored)
                if found:
                    original = await self._recognised(stored, found)
                else:
                    original = await self._fetches.join(f"{stored.etag} {name}", lambda: self._fetch(name))
                if original and original.path.exists():
                    return original
        raise Saturated("the original is replaced faster than it can be read")

    def pinned(self, original: Original) -> contextlib.AbstractContextManager[None]:
        """While this holds, the copy is not evicted. It still goes when the original is replaced."""
        return self._copies.pinned(original.path)

    def learn(self, name: str, stored: StoredObject | None) -> None:
        """Take note of what the store holds now; None that it holds nothing. Whatever was asked or fetched before a
        change is so again. Raises OSError when a listener cannot remove what is old."""
        before, was_missing = self._known.pop(name, None), self._missing.pop(name, None) is not None
        if stored is None:
            same = was_missing
            self._missing[name] = time.monotonic()
            shorten(self._missing, MOST_MISSING)
        else:
            same = before is not None and version(before.stored) == version(stored)
            self._known[name] = Known(stored, time.monotonic(), before.header if before and same else None)
            shorten(self._known, MOST_KNOWN)
        if same:
            return
        self._tickets.void(name)
        if before and (stored is None or before.stored.etag != stored.etag):
            self._copies.remove(self._copies.path(before.stored))
        for listener in self._listeners:
            listener(name, stored)

    def heed(self, name: str, current: tuple[str, int] | None, lag: float) -> None:
        """Another node has changed an original; `current` is its ETag and its time, None where that is not known. What
        is known of another version is forgotten, and for `lag` seconds the store is asked for its newest version."""
        self._lately_changed.add(name, current, lag)
        known = self._known.get(name)
        if known and version(known.stored) == current:
            return
        self._known.pop(name, None)
        self._missing.pop(name, None)
        self._tickets.void(name)
        if known:
            self._copies.remove(self._copies.path(known.stored))
        if current is None:
            self._copies.remove_all(name)

    def changed(self, name: str, lag: float) -> None:
        """This node has changed an original: for `lag` seconds the store is asked for its newest version."""
        self._lately_changed.add(name, None, lag)

    def forget_known(self) -> None:
        """Know nothing any more of what the store holds: it is asked anew for each original."""
        self._tickets.void_all()
        self._known.clear()
        self._missing.clear()

    def remove_copies(self, name: str) -> int:
        """Remove every copy of an original, of whichever version; return how many."""
        return self._copies.remove_all(name)

    def is_current(self, stored: StoredObject) -> bool:
        """Return whether this version is the one that the store is known to hold."""
        known = self._known.get(stored.name)
        return known is not None and version(known.stored) == version(stored)

    def adopt(self, stored: StoredObject, path: Path, header: Header) -> Original | None:
        """Move a file that the store has just taken as this version to the copies, and remember its header. A copy that
        is here already stays, since others may read it. None where another version is current, or the disk fails."""
        if not self.is_current(stored):
            return None
        copy = self._copies.find(stored)
        try:
            if copy is None and path.stat().st_size == stored.bytes:
                copy = self._copies.take_in(stored, path, spare=False)
        except OSError as error:
            log.info("the upload of %s is not taken for a copy of it: %s", stored.name, error)
            self._work.trouble(error)
        if copy is None:
            return None
        self._known[stored.name].header = header
        return Original(stored, copy, header)

    async def expect(self, name: str, etag: str) -> None:
        """See that what is known is not older than a link that names this ETag: ask the store again if it differs,
        unless it was asked within REASK seconds. Without an answer of the store, what is known is used.
        Raises NotFound.
        """
        with contextlib.suppress(Unavailable):
            stored = await self.stat(name)
            known = self._known.get(name)
            if stored.etag != etag and known and time.monotonic() - known.checked > REASK:
                await self._questions.join(name, lambda: self._ask(name))

    def known(self, name: str) -> StoredObject | None:
        """What was last known of an original. The store is not asked."""
        known = self._known.get(name)
        return known.stored if known else None

    def checked(self, name: str) -> tuple[float, float] | None:
        """When the store was last asked for an original, monotonic, and when what it holds was stored, in seconds since
        the epoch; None where that is not known."""
        known = self._known.get(name)
        return (known.checked, known.stored.modified) if known else None

    def evict(self, files: Iterable[Path]) -> int:
        """Remove copies that are not being read; return how many."""
        return self._copies.evict(files)

    async def settled(self) -> int:
        """Nothing is ever moved away."""
        return await self._copies.settled()

    async def _ask(self, name: str) -> StoredObject:
        while True:
            with self._tickets.hold(name) as ticket:
                stored: StoredObject | None
                try:
                    stored = await self._lately_changed.stat(self._container, name)
                except NotFound:
                    stored = None
                if not ticket.valid:  # another task learned better while the store was answering
                    continue
                self.learn(name, stored)
            if stored is None:
                raise NotFound(name)
            return stored

    def _is_new(self, name: str) -> bool:
        """Whether nothing is known of an original, and no copy is here, so that there is no use in asking about it
        before it is fetched."""
        if name in self._known or name in self._missing or self._work.troubled:
            return False
        return not self._copies.any_of(name)

    async def _fetch(self, name: str) -> Original | None:
        return await self._recognised(*await self._bring(name), fetched=True)

    async def _bring(self, name: str) -> tuple[StoredObject, Path]:
        if not self._work.troubled:
            try:
                return await self._fetch_to(name, spare=False)
            except OSError as error:
                self._work.trouble(error)
        return await self._fetch_to(name, spare=True)

    async def _fetch_to(self, name: str, *, spare: bool) -> tuple[StoredObject, Path]:
        while True:
            with self._tickets.hold(name) as ticket, self._work.file(spare=spare) as arriving:
                try:
                    stored = await self._lately_changed.fetch(self._container, name, arriving)
                except NotFound:
                    if ticket.valid:
                        self.learn(name, None)
                    raise
                if not ticket.valid:  # it was replaced while it was being fetched
                    continue
                self.learn(name, stored)
                return stored, self._copies.take_in(stored, arriving, spare=spare)

    async def _recognised(self, stored: StoredObject, path: Path, *, fetched: bool = False) -> Original | None:
        """The original in this copy, None when it goes before it is read. Raises NotAnImage and Undecodable."""
        with self._copies.pinned(path), contextlib.suppress(FileNotFoundError):
            return Original(stored, path, await self._header(stored, path, fetched=fetched))
        return None

    async def _header(self, stored: StoredObject, path: Path, *, fetched: bool) -> Header:
        return await header_of(self._known.get(stored.name), stored, path, at_once=fetched and stored.bytes <= SMALL)
