"""Which formats `auto` and `source` may become for one image and one client, where the name alone does not say."""

from __future__ import annotations

from gateway.holding import fitting
from gateway.names import Name, decide
from gateway.negotiate import BASE, bucket
from gateway.rules import Rules
from service.cache.disk import DerivedTree
from service.derivatives.job import Making, marker_of
from service.originals.acceptance import admit
from service.originals.originals import Originals


class FormatChoice:
    """Names the formats that a request may be answered in; `Derivatives` makes them and decides."""

    def __init__(self, rules: Rules, making: Making, originals: Originals, tree: DerivedTree) -> None:
        self._rules = rules
        self._making = making
        self._originals = originals
        self._tree = tree

    async def candidates(self, name: Name, accept: str) -> tuple[Name, ...]:
        """Return the decided names for a client with this Accept header, the preferred first.

        Two names mean that the one with fewer bytes is the answer: a whole image asked for as `auto` is never larger
        than the original without its metadata. Raises what the store raises, NotAnImage, TooLarge and Undecodable.
        """
        marker = self._tree.marker(name.image)
        if marker is None:
            original = await self._originals.get(name.image)
            admit(original.header, self._making.accept, self._making.limits)
            marker = marker_of(original, self._rules)
        own = decide(name, marker.source, self._rules)
        if name.format == "source":
            return (own,)
        chosen = bucket(accept, fitting(name.recipe, marker.shape, self._rules))
        chosen = marker.base if chosen == BASE else chosen
        preferred = decide(name, chosen, self._rules)
        if name.recipe or chosen == marker.source:
            return (preferred,)
        known = self._tree.smaller(name.image).get(chosen)
        if known in (chosen, marker.source):
            return (decide(name, known, self._rules),)
        return preferred, own
