"""Find derived images on disk or in the store, or make them: each once, however many requests wait for it.

The protocol that keeps old images from coming back (docs/caching.md): every flight holds a ticket of its image;
`forget` voids all tickets before it removes anything, and a flight publishes only with a valid one. Both happen on the
event loop, and nothing is awaited between the check and the rename.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from gateway.names import Name
from gateway.rules import Rules
from service.cache.disk import DerivedTree
from service.cache.failures import Failures
from service.cache.flight import Flights
from service.cache.graves import Removal
from service.cache.memory import Memory
from service.cache.published import Published
from service.cache.tickets import Ticket, Tickets
from service.cache.validators import stamp
from service.cache.work import Work
from service.derivatives.format_choice import FormatChoice
from service.derivatives.job import Derivative, JobSettings, Level, job_of, marker_of
from service.derivatives.stored import DerivedStore
from service.derivatives.takedown import Takedowns
from service.derivatives.write_behind import WriteBehind
from service.engine.job import DiskFull, EngineError, Removed, Saturated
from service.engine.pool.lanes import Lane, lane_of
from service.engine.pool.pool import EnginePool
from service.observability.timings import stage
from service.originals.acceptance import admit
from service.originals.originals import Original, Originals
from service.store.base import StoredObject

__all__ = ["Derivative", "Derivatives", "JobSettings", "Level"]

ATTEMPTS = 2  # of a job whose process dies over it: it may have been killed for other reasons than the image
MOST_ATTEMPTS = 50  # of one flight while its image is replaced again and again
FLIGHTS = 2  # times what the engine takes may be under way, waits for the store included
MOST_SPARE = 4  # flights at once that work in the spare folder, since that is memory
LARGEST_SPARE = 64 * 2**20  # bytes of an image that is answered without being stored

log = logging.getLogger(__name__)


@dataclass(eq=False, repr=False)
class Derivatives:
    """Finds or makes derived images: in the tree on disk, in the derived container, by the engine."""

    _rules: Rules
    _job_settings: JobSettings
    _originals: Originals
    _tree: DerivedTree
    _memory: Memory
    _work: Work
    _stored: DerivedStore
    _tickets: Tickets
    _engine: EnginePool

    def __post_init__(self) -> None:
        self.answered: Counter[str] = Counter()
        self.flights: Flights[Derivative] = Flights()
        self.failures = Failures()
        self.backlog = WriteBehind(self._stored.hold)
        self._formats = FormatChoice(self._rules, self._job_settings, self._originals, self._tree)
        self._spare = asyncio.Semaphore(MOST_SPARE)
        self.takedowns = Takedowns(self._originals, self._stored)

    async def get(self, name: Name, accept: str = "", *, lane: Lane) -> Derivative:
        """The derived image, in a format decided by `accept` where the name leaves it open, made in `lane`.

        Raises NotFound and Unavailable of the store, every EngineError, and OSError where no disk can be used.
        """
        found = await self._find(name, accept, lane)
        self.answered[found.level] += 1
        return found

    async def open(self, name: Name, accept: str = "", *, lane: Lane) -> tuple[Derivative, BinaryIO]:
        """As `get`, with the bytes themselves, for the caller to close: they stay what they are, whatever becomes of
        the name."""
        for _ in range(MOST_ATTEMPTS):
            found = await self._find(name, accept, lane)
            try:
                body, remembered = self._memory.open(found.name, found.file)
            except FileNotFoundError:  # evicted or replaced a moment ago
                continue
            if remembered and found.level == "HIT-DISK":
                found = replace(found, level="HIT-MEMORY")
            self.answered[found.level] += 1
            return found, body
        raise Saturated("the image is evicted faster than it can be read")

    async def decide(self, name: Name, accept: str, *, lane: Lane) -> Name:
        """The name with `auto` or `source` resolved for a client with this Accept header. Raises as `get` does."""
        preferred, *others = await self._formats.candidates(name, accept)
        return await self._smaller(preferred, others[0], lane) if others else preferred

    def settle(self, image: str, stored: StoredObject | None) -> None:
        """Forget what is here of an image unless it was made of this original."""
        marker = self._tree.marker(image)
        if marker and stored and marker.is_of(stored.etag, stored.modified):
            return
        if marker:  # this node may have put into the derived container what is old now
            self.takedowns.add(image)
        self.forget(image)

    def forget(self, image: str) -> list[Removal]:
        """Remove everything derived of an image from this node, and let no flight bring it back. It is out of sight
        when this returns, or, where the disk does not let it be moved, when `removed` returns."""
        self._tickets.void(image)
        self._memory.forget(image)
        return self._tree.forget(image)

    def forget_folder(self, folder: str) -> None:
        """Remove the files of a folder whose image has no name any more."""
        self._tree.forget_folder(folder)

    async def forget_all(self) -> Path:
        """`forget` for every image at once; the folder that is left to be deleted. Raises OSError."""
        self._tickets.void_all()
        self._memory.clear()
        return await self._tree.clear()

    async def forget_everywhere(self, image: str) -> None:
        """`forget`, and remove what the derived container holds of the image. Raises Unavailable, OSError."""
        removals = self.forget(image)
        self.takedowns.add(image)  # until it is done: a store that fails is asked again
        try:
            await self._stored.remove_all(f"{image}/@")
            self.takedowns.discharge(image)
        finally:  # this node's disk lets go of it in any case
            await self._tree.removed([*removals, *self.forget(image)])

    async def purge(self, image: str) -> tuple[int, int]:
        """`forget_everywhere`; how many files and how many objects of the derived container that were."""
        removals = self.forget(image)
        objects = await self._stored.remove_all(f"{image}/@")
        return await self._tree.removed([*removals, *self.forget(image)], counted=True), objects

    async def remove_stored(self, prefix: str) -> int:
        """Remove what the derived container holds below a prefix; how many objects. Raises Unavailable."""
        return await self._stored.remove_all(prefix)

    def adopt(self, name: Name, original: Original, path: Path) -> None:
        """Publish a finished file that was made of this original while it was verified. Raises OSError."""
        made = Derivative(name, self._publish(path, name, original, spare=False), "MISS", original.stored.etag)
        self._write_behind(made)

    async def persist(self, name: Name, *, lane: Lane) -> Derivative:
        """Make the image if it is nowhere, and see that the derived container holds it before this returns."""
        for _ in range(MOST_ATTEMPTS):
            found = await self.get(name, lane=lane)
            stored = await self._originals.stat(name.image)
            if found.original is None:
                marker = self._tree.marker(name.image)
                found = replace(found, original=marker.etag if marker else None)
            if found.original == stored.etag and await self._stored.hold(found):
                return found
        raise Saturated("the image is being replaced faster than it can be stored")

    async def close(self) -> None:
        """Wait for what is still being written to the store."""
        await self.backlog.close()

    async def _smaller(self, preferred: Name, own: Name, lane: Lane) -> Name:
        """Make both and return the one with fewer bytes; the own format where the preferred one cannot be made."""
        with self._tickets.hold(own.image) as ticket:
            made_own = await self._find(own, "", lane)
            try:
                made = await self._find(preferred, "", lane)
                smaller = preferred if made.file.bytes <= made_own.file.bytes else own
            except Saturated:  # it may be made a moment later
                raise
            except EngineError as error:
                log.info("%s stays %s: no %s could be made of it (%s)", own.image, own.format, preferred.format, error)
                smaller = own
            if ticket.valid:
                with contextlib.suppress(OSError):  # nginx then asks again
                    self._tree.note_smaller(own.image, preferred.format, smaller.format)
        return smaller

    async def _find(self, name: Name, accept: str, lane: Lane) -> Derivative:
        if not name.decided:
            name = await self.decide(name, accept, lane=lane)
        file = self._tree.find(name)
        if file:
            return Derivative(name, file, "HIT-DISK")
        joined = str(name) in self.flights
        try:
            return await self.flights.join(str(name), lambda: self._make(name, lane))
        except Saturated:
            if not (joined and lane == "api"):
                raise
        return await self.flights.join(str(name), lambda: self._make(name, lane))

    async def _make(self, name: Name, lane: Lane) -> Derivative:
        """The flight; it starts again when the image was replaced meanwhile. With as many under way again as the engine
        takes, it does not start: they wait for a store that is slow, and would for the engine."""
        if len(self.flights) > FLIGHTS * self._engine.capacity * (2 if lane == "api" else 1):
            raise Saturated("too many images are on their way")
        for _ in range(MOST_ATTEMPTS):
            with self._tickets.hold(name.image) as ticket:
                try:
                    made = await self._attempt(name, ticket, lane)
                except (EngineError, OSError):
                    if ticket.valid:
                        raise
                    continue
                if made:
                    return made
        raise Saturated("the image is being replaced faster than it can be made")

    async def _attempt(self, name: Name, ticket: Ticket, lane: Lane) -> Derivative | None:
        """Disk, derived container, engine, in that order; None where it is to be tried again."""
        original = await self._originals.get(name.image)
        if not ticket.valid:
            return None
        file = self._tree.find(name)
        if file:
            return Derivative(name, file, "HIT-DISK", original.stored.etag)
        self.failures.check(original.stored.etag, str(name))
        lane = lane_of(original.header, lane)
        with self._originals.pinned(original):
            if not self._work.troubled:
                try:
                    return await self._produce(name, original, ticket, lane, spare=False)
                except (EngineError, OSError) as error:
                    if isinstance(error, Removed) or not original.path.exists():  # the caches were cleaned up
                        return None
                    if not self._is_disk(error):
                        raise
            async with self._spare:
                return await self._produce(name, original, ticket, lane, spare=True)

    async def _produce(
        self, name: Name, original: Original, ticket: Ticket, lane: Lane, *, spare: bool
    ) -> Derivative | None:
        etag = original.stored.etag
        with self._work.file(spare=spare) as path:
            level: Level = "MISS"
            if self._job_settings.persist == "url":  # the container holds few, so a full queue need not ask it first
                self._engine.require_room(lane)
            if self._job_settings.persist != "never" and await self._stored.fetch(name, etag, path):
                level = "HIT-STORE"
            else:
                await self._derive(name, original, path, lane)
            if not ticket.valid:
                return None
            made = Derivative(name, self._publish(path, name, original, spare=spare), level, etag)
        if level == "MISS":
            self._write_behind(made)
        return made

    def _write_behind(self, made: Derivative) -> None:
        if self._job_settings.persist == "always":
            self.backlog.add(made)

    async def _derive(self, name: Name, original: Original, path: Path, lane: Lane) -> None:
        admit(original.header, self._job_settings.accept, self._job_settings.limits)
        job = job_of(name, original, self._job_settings, self._rules.quality.get(name.format, 0), path)
        affinity = f"{name.image}\n{original.stored.etag}"
        try:
            made = await self._engine.run(job, affinity=affinity, lane=lane, content=affinity, attempts=ATTEMPTS)
        except EngineError as error:
            self.failures.note(original.stored.etag, str(name), error)
            raise
        if made.flaws:
            log.info("%s has flaws, and all of its pixels: %s", name.image, "; ".join(made.flaws))

    def _publish(self, path: Path, name: Name, original: Original, *, spare: bool) -> Published:
        """Give a finished file its name; where the disk does not take it, its bytes are all there is of it."""
        stored = original.stored
        modified = stamp(stored.modified, stored.etag, str(name), self._job_settings.engine)
        if not spare:
            try:
                with stage("publish"):
                    return self._tree.publish(path, name, modified, marker_of(original, self._rules))
            except OSError as error:
                self._work.trouble(error)
        if path.stat().st_size > LARGEST_SPARE:
            raise OSError(f"{name} is too large to be answered without a disk that works")
        data = path.read_bytes()
        return Published(path, None, len(data), modified, data)

    def _is_disk(self, error: Exception) -> bool:
        """Return True if the disk caused the error. An unforeseen error of the engine may come from a full disk."""
        if isinstance(error, DiskFull):
            error = OSError(errno.ENOSPC, str(error))
        if isinstance(error, OSError):
            self._work.trouble(error)
            return True
        return type(error) is EngineError and self._work.examine()
