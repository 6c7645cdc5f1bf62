"""Derived images: found on disk or in the store, or made; once, whoever asks.

The protocol that keeps old images from coming back: every flight holds a ticket of its image; `forget` voids all
tickets before it removes anything, and a flight publishes only with a valid one. Both happen on the event loop,
and nothing is awaited between the check and the rename.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import time
from collections import Counter, OrderedDict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from gateway.names import Name, decide
from gateway.negotiate import BASE, base_format, bucket, source_format
from gateway.rules import CONTENT_TYPES, Rules
from service.cache.disk import DerivedTree, Marker, Published
from service.cache.flight import Flights
from service.cache.validators import stamp
from service.engine.job import EngineError, Job, Limits, NotAnImage, TooLarge, Undecodable
from service.engine.pool import EnginePool
from service.intake import admit
from service.originals import Original, Originals
from service.store.base import Container, NotFound, StoreError

Level = Literal["HIT-DISK", "HIT-STORE", "MISS"]
REMEMBER_FAILURES = 4096  # failures that are certain (the image, not the moment), by content and name
FAILURES_FOR = 60.0  # seconds they are remembered
LARGE = 12_000_000  # pixels of an original from which on its work goes to the large lane

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Derivative:
    """A derived image that is on disk now. `level` tells who had it."""

    name: Name
    file: Published
    level: Level

    @property
    def content_type(self) -> str:
        return "application/json" if self.name.is_meta else CONTENT_TYPES[self.name.format]


@dataclass(frozen=True, slots=True)
class Making:
    """What all derived images of one configuration have in common. `engine` is the version of what makes them."""

    accept: Collection[str]
    limits: Limits
    keep: tuple[str, ...]
    fields: tuple[str, ...]
    persist: Literal["url", "always", "never"]
    engine: str


class _Ticket:
    """The right of one flight to publish, until the image is forgotten."""

    valid = True


class Derivatives:
    """Finds or makes derived images. `rules` reads names; `tree` holds the files; `kept` is the derived container."""

    def __init__(
        self, rules: Rules, making: Making, originals: Originals, tree: DerivedTree, kept: Container, engine: EnginePool
    ) -> None:
        self._rules = rules
        self._making = making
        self._originals = originals
        self._tree = tree
        self._kept = kept
        self._engine = engine
        self._flights: Flights[Derivative] = Flights()
        self._tickets: dict[str, set[_Ticket]] = {}
        self._failures: OrderedDict[str, tuple[float, EngineError]] = OrderedDict()
        self._background: set[asyncio.Task[None]] = set()
        self.answered: Counter[str] = Counter()
        originals.on_change(self.forget)

    async def get(self, name: Name, accept: str = "") -> Derivative:
        """The derived image, in a format decided by `accept` where the name leaves it open.

        Raises NotFound and Unavailable of the store, every EngineError, and OSError where the disk fails.
        """
        if not name.decided:
            name = await self.decide(name, accept)
        file = self._tree.find(name)
        if file:
            found = Derivative(name, file, "HIT-DISK")
        else:
            found = await self._flights.join(str(name), lambda: self._make(name))
        self.answered[found.level] += 1
        return found

    async def decide(self, name: Name, accept: str) -> Name:
        """The name with `auto` or `source` resolved for a client with this Accept header."""
        if name.format == "auto":
            chosen = bucket(accept, self._rules.negotiate)
            if chosen != BASE:
                return decide(name, chosen, self._rules)
        marker = self._tree.marker(name.image)
        if marker is None:
            original = await self._originals.get(name.image)
            admit(original.header, self._making.accept, self._making.limits)
            marker = self._marker(original)
        return decide(name, marker.base if name.format == "auto" else marker.source, self._rules)

    def forget(self, image: str) -> int:
        """Remove everything derived of an image from this node, and let no flight bring it back; files removed."""
        for ticket in self._tickets.get(image, ()):
            ticket.valid = False
        return self._tree.forget(image)

    async def forget_everywhere(self, image: str) -> int:
        """`forget`, and remove what the derived container holds of the image. Raises Unavailable."""
        removed = self.forget(image)
        marker: str | None = ""
        while marker is not None:
            page = await self._kept.list(prefix=f"{image}/@", marker=marker)
            for kept in page.objects:
                try:
                    await self._kept.delete(kept.name)
                except NotFound:
                    continue
            marker = page.marker
        return removed + self.forget(image)

    async def close(self) -> None:
        """Wait for what is still being written to the store."""
        await asyncio.gather(*self._background, return_exceptions=True)

    async def _make(self, name: Name) -> Derivative:
        """The flight; it starts again when the image was replaced meanwhile."""
        while True:
            with self._ticket(name.image) as ticket:
                try:
                    made = await self._attempt(name, ticket)
                except (EngineError, OSError):
                    if ticket.valid:
                        raise
                    continue
                if made:
                    return made

    async def _attempt(self, name: Name, ticket: _Ticket) -> Derivative | None:
        """Disk, derived container, engine, in that order; None where the ticket was voided on the way."""
        original = await self._originals.get(name.image)
        file = self._tree.find(name)
        if file:
            return Derivative(name, file, "HIT-DISK")
        self._check_failures(name, original)
        with self._tree.unfinished() as path:
            level: Level = "HIT-STORE" if await self._fetch_kept(name, original, path) else "MISS"
            if level == "MISS":
                await self._derive(name, original, path)
            if not ticket.valid:
                return None
            when = stamp(original.stored.modified, original.stored.etag, str(name), self._making.engine)
            file = self._tree.publish(path, name, when, self._marker(original))
        if level == "MISS" and self._making.persist == "always":
            self._in_background(name, file, original)
        return Derivative(name, file, level)

    @contextlib.contextmanager
    def _ticket(self, image: str) -> Iterator[_Ticket]:
        ticket = _Ticket()
        holders = self._tickets.setdefault(image, set())
        holders.add(ticket)
        try:
            yield ticket
        finally:
            holders.discard(ticket)
            if not holders:
                self._tickets.pop(image, None)

    async def _derive(self, name: Name, original: Original, path: Path) -> None:
        making, header = self._making, original.header
        admit(header, making.accept, making.limits)
        job = Job(
            task="describe" if name.is_meta else "derive",
            source=str(original.path),
            header=header,
            limits=making.limits,
            recipe=name.recipe,
            format=name.format,
            output=str(path),
            quality=self._rules.quality.get(name.format, 0),
            keep=making.keep,
            fields=making.fields,
        )
        lane: Literal["small", "large"] = "large" if header.width * header.height * header.frames > LARGE else "small"
        affinity = f"{name.image}\n{original.stored.etag}"
        try:
            await self._engine.run(job, affinity=affinity, lane=lane, content=affinity)
        except (NotAnImage, TooLarge, Undecodable) as error:
            self._remember_failure(name, original, error)
            raise

    def _marker(self, original: Original) -> Marker:
        header = original.header
        base = base_format(header.alpha, header.frames, self._rules.out)
        return Marker(base, source_format(header.format, base, self._rules.out), original.stored.etag)

    async def _fetch_kept(self, name: Name, original: Original, path: Path) -> bool:
        """Take the image from the derived container, if it is there and was made of this original by this engine."""
        if self._making.persist == "never":
            return False
        try:
            kept = await self._kept.stat(str(name))
            if dict(kept.metadata) != self._provenance(original):
                return False
            await self._kept.fetch(str(name), path)
        except NotFound:
            return False
        except StoreError as error:
            log.warning("the derived container did not give %s: %s", name, error)
            return False
        return True

    def _provenance(self, original: Original) -> dict[str, str]:
        return {"original-etag": original.stored.etag, "engine": self._making.engine}

    async def keep(self, name: Name) -> Derivative:
        """Make the image if it is nowhere, and see that the derived container holds it before this returns."""
        found = await self.get(name)
        original = await self._originals.get(name.image)
        try:
            kept = await self._kept.stat(str(name))
            if dict(kept.metadata) == self._provenance(original):
                return found
        except NotFound:
            pass
        await self._persist(name, found.file, original)
        return found

    async def _persist(self, name: Name, file: Published, original: Original) -> None:
        md5 = await asyncio.to_thread(_md5, file.path)
        content_type = "application/json" if name.is_meta else CONTENT_TYPES[name.format]
        await self._kept.put(
            str(name), file.path, content_type=content_type, md5=md5, metadata=self._provenance(original)
        )

    def _in_background(self, name: Name, file: Published, original: Original) -> None:
        async def persist() -> None:
            try:
                await self._persist(name, file, original)
            except (StoreError, OSError) as error:
                log.warning("the derived container did not take %s: %s", name, error)

        task = asyncio.ensure_future(persist())
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    def _check_failures(self, name: Name, original: Original) -> None:
        when, error = self._failures.get(_failure_key(name, original), (0.0, None))
        if error and time.monotonic() - when < FAILURES_FOR:
            raise error

    def _remember_failure(self, name: Name, original: Original, error: EngineError) -> None:
        self._failures[_failure_key(name, original)] = (time.monotonic(), error)
        if len(self._failures) > REMEMBER_FAILURES:
            self._failures.popitem(last=False)


def _failure_key(name: Name, original: Original) -> str:
    return f"{original.stored.etag}\n{name}"


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest()
