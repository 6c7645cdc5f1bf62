"""Find derived images on disk, or have them made: each once, however many requests wait for it. Forget them.

The protocol that keeps old images from coming back (docs/caching.md): `forget` voids the tickets of an image before it
removes anything, and `maker` publishes only with a valid one.
"""

from __future__ import annotations

import contextlib
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from gateway.marker import Marker
from gateway.names import Name
from gateway.rules import Rules
from service.cache.disk import DerivedTree
from service.cache.flight import Flights
from service.cache.graves import Removal
from service.cache.memory import Memory
from service.cache.tickets import Tickets
from service.derivatives.format_choice import FormatChoice
from service.derivatives.job import Derivative, JobSettings, Level
from service.derivatives.maker import Maker
from service.derivatives.proof import Proof
from service.derivatives.stored import DerivedStore
from service.derivatives.takedown import Takedowns
from service.engine.job import EngineError, Saturated
from service.engine.pool.lanes import Lane
from service.engine.pool.pool import EnginePool
from service.originals.originals import Originals
from service.store.base import StoredObject
from service.store.errors import StoreError

__all__ = ["Derivative", "Derivatives", "JobSettings", "Level"]

MOST_ATTEMPTS = 50  # of one request while its image is replaced, or evicted, again and again
FLIGHTS = 2  # times what the engine takes may be under way, waits for the store included

log = logging.getLogger(__name__)


@dataclass(eq=False, repr=False)
class Derivatives:
    """Finds or makes derived images: in the tree on disk, in the derived container, by the engine."""

    _rules: Rules
    _job_settings: JobSettings
    _originals: Originals
    _tree: DerivedTree
    _memory: Memory
    _stored: DerivedStore
    _tickets: Tickets
    _engine: EnginePool
    maker: Maker

    def __post_init__(self) -> None:
        self.answered: Counter[str] = Counter()
        self.used: Callable[[str], object] = lambda _: None  # called with each image that is found
        self.flights: Flights[Derivative] = Flights()
        self._formats = FormatChoice(self._rules, self._job_settings, self._originals, self._tree)
        self.takedowns = Takedowns(self._originals, self._stored)
        self._proof = Proof(self._originals, self._tree, self._note)

    async def get(self, name: Name, accept: str = "", *, lane: Lane) -> Derivative:
        """The derived image, in a format decided by `accept` where the name leaves it open, made in `lane`.

        Raises NotFound and Unavailable of the store, every EngineError, and OSError where no disk can be used.
        """
        found = await self._find(name, accept, lane)
        self._answer(found)
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
            self._answer(found)
            return found, body
        raise Saturated("the image is evicted faster than it can be read")

    async def decide(self, name: Name, accept: str, *, lane: Lane) -> Name:
        """The name with `auto` or `source` resolved for a client with this Accept header. Raises as `get` does."""
        await self._proof.ask(name.image)
        preferred, *others = await self._formats.candidates(name, accept)
        return await self._smaller(preferred, others[0], lane) if others else preferred

    async def marker(self, image: str) -> Marker:
        """The facts of the original that is here, or is fetched now. Raises as `get` does."""
        await self._proof.ask(image)
        return await self._formats.marker(image)

    def noted(self, image: str) -> Marker | None:
        """The facts of the original that the files on this disk were made of, if there are any."""
        return self._tree.marker(image) or self._tree.unproven.marker(image)

    def settle(self, image: str, stored: StoredObject | None) -> list[Removal]:
        """`forget` what is here of an image unless it was made of this original."""
        marker = self.noted(image)
        if marker and stored and marker.is_of(stored.etag, stored.modified):
            return []
        if marker:  # this node may have put into the derived container what is old now
            self.takedowns.add(image)
        return self.forget(image)

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

    async def forget_here(self, image: str) -> None:
        """`forget`, until this node's disk has let go of it. Raises OSError."""
        await self._tree.removed(self.forget(image))

    async def forget_everywhere(self, image: str) -> None:
        """`forget`, and remove what the derived container holds of the image. Raises Unavailable, OSError."""
        removals = self.forget(image)
        self.takedowns.add(image)  # until it is done: a store that fails is asked again
        try:
            await self._stored.remove_all(f"{image}/@")
            self.takedowns.discharge(image)
        finally:  # this node's disk lets go of it in any case
            await self._tree.removed([*removals, *self.forget(image)])

    async def purge(self, image: str, before: Sequence[Removal] = ()) -> tuple[int, int]:
        """`forget_everywhere`; how many files and how many objects of the derived container that were, with the files
        of what was forgotten `before`."""
        removals = [*before, *self.forget(image)]
        try:
            objects = await self._stored.remove_all(f"{image}/@")
        except StoreError:
            self.takedowns.add(image)  # which asks again
            raise
        return await self._tree.removed([*removals, *self.forget(image)], counted=True), objects

    async def remove_stored(self, prefix: str) -> int:
        """Remove what the derived container holds below a prefix; how many objects. Raises Unavailable."""
        return await self._stored.remove_all(prefix)

    async def persist(self, name: Name, *, lane: Lane) -> Derivative:
        """Make the image if it is nowhere, and see that the derived container holds it before this returns."""
        for _ in range(MOST_ATTEMPTS):
            found = await self.get(name, lane=lane)
            stored = await self._originals.stat(name.image, fresh=True)  # no URL may lead to what is gone
            if found.original is None:
                marker = self._tree.marker(name.image)
                found = replace(found, original=marker.etag if marker else None)
            found = replace(found, ends=stored.ends)
            if found.original == stored.etag and await self._stored.hold(found):
                return found
        raise Saturated("the image is being replaced faster than it can be stored")

    async def close(self) -> None:
        """Wait for what is still being written to the store."""
        await self.maker.backlog.close()

    def _answer(self, found: Derivative) -> None:
        self.answered[found.level] += 1
        if found.level != "MISS":
            self._note(found.name.image)

    def _note(self, image: str) -> None:
        self.used(image)

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
        await self._proof.ask(name.image)
        file = self._tree.find(name)
        if file:
            return Derivative(name, file, "HIT-DISK", ends=file.ends)
        joined = str(name) in self.flights
        try:
            return await self.flights.join(str(name), lambda: self._make(name, lane))
        except Saturated:
            if not (joined and lane == "api"):
                raise
        return await self.flights.join(str(name), lambda: self._make(name, lane))

    async def _make(self, name: Name, lane: Lane) -> Derivative:
        """The flight. With as many under way again as the engine takes, it does not start: they wait for a store that
        is slow, and would for the engine."""
        if len(self.flights) > FLIGHTS * self._engine.capacity * (2 if lane == "api" else 1):
            raise Saturated("too many images are on their way")
        return await self.maker.make(name, lane)
