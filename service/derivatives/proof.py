"""Have images of unknown age proved by the store, at their first request."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable

from service.cache.disk import DerivedTree
from service.cache.flight import Flights
from service.originals.originals import Originals
from service.store.errors import NotFound, Unavailable

log = logging.getLogger(__name__)


class Proof:
    """Moves an image's files back to the tree if the store still holds the original that they were made of.

    A store that does not answer proves nothing: then they are used as they are, and `used` is called, so that the store
    is asked when it answers.
    """

    def __init__(self, originals: Originals, tree: DerivedTree, used: Callable[[str], object]) -> None:
        self._originals = originals
        self._tree = tree
        self._unproven = tree.unproven
        self._used = used
        self._flights: Flights[None] = Flights()

    async def ask(self, image: str) -> None:
        """Ask for an image, if there is anything of it. Each is asked for once, however many requests wait."""
        if self._unproven.is_there and self._unproven.marker(image):
            await self._flights.join(image, lambda: self._ask(image))

    async def _ask(self, image: str) -> None:
        marker, is_current = self._unproven.marker(image), True
        try:
            stored = await self._originals.stat(image, fresh=True)
            is_current = marker is not None and marker.is_of(stored.etag, stored.modified)
        except NotFound:
            is_current = False
        except Unavailable as error:
            log.warning("the store does not answer; what is here of %s, of unknown age, is used: %s", image, error)
            self._used(image)
        if self._unproven.marker(image) is None:  # it was forgotten meanwhile
            return
        with contextlib.suppress(OSError):
            if is_current and self._tree.marker(image) is None:
                self._unproven.take_back(image)
            else:
                self._unproven.drop(image)
