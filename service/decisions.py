"""What `auto` and `source` become for one image and one client, where the name alone does not tell."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Awaitable, Callable

from gateway.holding import fitting
from gateway.names import Name, decide
from gateway.negotiate import BASE, bucket
from gateway.rules import Rules
from service.cache.disk import DerivedTree
from service.cache.tickets import Tickets
from service.engine.job import EngineError, Saturated
from service.intake import admit
from service.making import Derivative, Making, marker_of
from service.originals import Originals

log = logging.getLogger(__name__)


class Decisions:
    """Decides formats. `find` finds or makes a derived image of a decided name."""

    def __init__(
        self,
        rules: Rules,
        making: Making,
        originals: Originals,
        tree: DerivedTree,
        tickets: Tickets,
        find: Callable[[Name], Awaitable[Derivative]],
    ) -> None:
        self._rules = rules
        self._making = making
        self._originals = originals
        self._tree = tree
        self._tickets = tickets
        self._find = find

    async def decide(self, name: Name, accept: str) -> Name:
        """The name with `auto` or `source` resolved for a client with this Accept header.

        Raises what the store raises, NotAnImage, TooLarge and Undecodable, and for a whole image what making it does.
        """
        marker = self._tree.marker(name.image)
        if marker is None:
            original = await self._originals.get(name.image)
            admit(original.header, self._making.accept, self._making.limits)
            marker = marker_of(original, self._rules)
        if name.format == "source":
            return decide(name, marker.source, self._rules)
        chosen = bucket(accept, fitting(name.recipe, marker.shape, self._rules))
        chosen = marker.base if chosen == BASE else chosen
        if not name.recipe and chosen != marker.source:
            chosen = await self._smaller(name, chosen, marker.source)
        return decide(name, chosen, self._rules)

    async def _smaller(self, name: Name, chosen: str, source: str) -> str:
        """Of the format that `auto` chose for a whole image and the original's own, the one with fewer bytes: asking
        for nothing but a better format never gives more than there was, nor less where that format cannot be made."""
        known = self._tree.smaller(name.image).get(chosen)
        if known in (chosen, source):
            return known
        with self._tickets.hold(name.image) as ticket:
            own = await self._find(decide(name, source, self._rules))
            try:
                made = await self._find(decide(name, chosen, self._rules))
                smaller = chosen if made.file.bytes <= own.file.bytes else source
            except Saturated:  # of which the next moment knows nothing
                raise
            except EngineError as error:
                log.info("%s stays %s: no %s could be made of it (%s)", name.image, source, chosen, error)
                smaller = source
            if ticket.valid:
                with contextlib.suppress(OSError):  # nginx then asks again
                    self._tree.note_smaller(name.image, chosen, smaller)
        return smaller
