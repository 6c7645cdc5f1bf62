"""Resolve `auto` and `source` to formats for one image and one client, with what this node knows of the original."""

from __future__ import annotations

import time

from gateway.format_choice import candidates
from gateway.marker import Marker
from gateway.names import Name, decide
from gateway.rules import Rules
from service.cache.disk import DerivedTree
from service.derivatives.job import JobSettings, marker_of
from service.originals.acceptance import admit
from service.originals.originals import Originals


class FormatChoice:
    """Names the formats that a request may be answered in; `Derivatives` makes them and decides."""

    def __init__(self, rules: Rules, job_settings: JobSettings, originals: Originals, tree: DerivedTree) -> None:
        self._rules = rules
        self._job_settings = job_settings
        self._originals = originals
        self._tree = tree

    async def candidates(self, name: Name, accept: str) -> tuple[Name, ...]:
        """Return the decided names for a client with this Accept header, the preferred first; of two, the one with
        fewer bytes is the answer. Raises what the store raises, NotAnImage, TooLarge and Undecodable.
        """
        marker = await self.marker(name.image)
        formats = candidates(name, marker, accept, self._rules, lambda chosen: self._smaller(name.image, chosen))
        return tuple(decide(name, format, self._rules) for format in formats)

    async def marker(self, image: str) -> Marker:
        """Return the facts of the original, as they are noted beside derived images. Raises as `candidates` does."""
        marker = self._tree.marker(image)
        if marker and (marker.ends is None or marker.ends > time.time()):
            return marker
        return await self._look(image)

    def _smaller(self, image: str, chosen: str) -> str | None:
        return self._tree.smaller(image).get(chosen)

    async def _look(self, image: str) -> Marker:
        """Return what the marker of the image is going to say."""
        original = await self._originals.get(image)
        admit(original.header, self._job_settings.accept, self._job_settings.limits)
        return marker_of(original, self._rules)
