"""Make one derived image: take it from the derived container, or have the engine make it, and publish it.

The protocol that keeps old images from coming back (docs/caching.md): work holds a ticket of its image and publishes
only with a valid one. The check and the rename happen on the event loop, and nothing is awaited between them.
"""

from __future__ import annotations

import asyncio
import errno
import logging
from dataclasses import dataclass
from pathlib import Path

from gateway.names import Name
from gateway.rules import Rules
from service.cache.disk import DerivedTree
from service.cache.failures import Failures
from service.cache.published import Published
from service.cache.tickets import Ticket, Tickets
from service.cache.validators import stamp
from service.cache.work import Work
from service.derivatives.job import Derivative, JobSettings, Level, job_of, marker_of
from service.derivatives.stored import DerivedStore
from service.derivatives.transcoded import Transcoded
from service.derivatives.write_behind import WriteBehind
from service.engine.job import DiskFull, EngineError, Malfunction, Removed, Saturated
from service.engine.pool.lanes import Lane, lane_of
from service.engine.pool.pool import EnginePool
from service.observability.timings import stage
from service.originals.acceptance import admit
from service.originals.originals import Original, Originals

ATTEMPTS = 2  # of a job whose process dies over it: it may have been killed for other reasons than the image
MOST_ATTEMPTS = 50  # of one image while it is replaced again and again
MOST_SPARE = 4  # flights at once that work in the spare folder, since that is memory
LARGEST_SPARE = 64 * 2**20  # bytes of an image that is answered without being stored

log = logging.getLogger(__name__)


@dataclass(eq=False, repr=False)
class Maker:
    """Makes one image at a time for each caller, and publishes it in the tree on disk.

    `failures` are remembered for a while; `backlog` is what is on its way to the derived container; `transcoded` is
    what JPEG XL saves.
    """

    _rules: Rules
    _job_settings: JobSettings
    _originals: Originals
    _tree: DerivedTree
    _work: Work
    _stored: DerivedStore
    _tickets: Tickets
    _engine: EnginePool

    def __post_init__(self) -> None:
        self.failures = Failures()
        self.transcoded = Transcoded()
        self.backlog = WriteBehind(self._stored.hold)
        self._spare = asyncio.Semaphore(MOST_SPARE)

    async def make(self, name: Name, lane: Lane) -> Derivative:
        """The image, which is there when this returns; begun again when it was replaced meanwhile. Raises NotFound and
        Unavailable of the store, every EngineError, and OSError where no disk can be used."""
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

    def adopt(self, name: Name, original: Original, path: Path) -> None:
        """Publish a finished file that was made of this original while it was verified. Raises OSError."""
        made = _derivative(name, self._publish(path, name, original, spare=False), "MISS", original)
        self._write_behind(made)

    async def _attempt(self, name: Name, ticket: Ticket, lane: Lane) -> Derivative | None:
        """Disk, derived container, engine, in that order; None where it is to be tried again."""
        original = await self._originals.get(name.image)
        if not ticket.valid:
            return None
        file = self._tree.find(name)
        if file:
            return _derivative(name, file, "HIT-DISK", original)
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
        etag, ends = original.stored.etag, original.stored.ends
        with self._work.file(spare=spare) as path:
            level: Level = "MISS"
            if self._job_settings.persist == "url":  # the container holds few, so a full queue need not ask it first
                self._engine.require_room(lane)
            if self._job_settings.persist != "never" and await self._stored.fetch(name, etag, ends, path):
                level = "HIT-STORE"
            else:
                await self._derive(name, original, path, lane)
            if not ticket.valid:
                return None
            made = _derivative(name, self._publish(path, name, original, spare=spare), level, original)
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
        if made.transcoded and original.header.format == "jpg" and made.format == "jxl":
            self.transcoded.note(original.stored.bytes, made.bytes)
        if made.flaws:
            log.info("%s has flaws, and all of its pixels: %s", name.image, "; ".join(made.flaws))
        if made.anew:
            log.info("%s was encoded once more, since it could not be copied: %s", name, made.anew)

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
        return type(error) in (EngineError, Malfunction) and self._work.examine()


def _derivative(name: Name, file: Published, level: Level, original: Original) -> Derivative:
    return Derivative(name, file, level, original.stored.etag, original.stored.ends)
