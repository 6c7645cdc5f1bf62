"""Removal, later, of what the derived container still holds of former images.

A replacement or deletion removes it before it answers. Where Swift does not answer, or the process is killed in
between, or another node has put an old image there, it stays, and a temporary URL leads to it until it is removed here.
"""

from __future__ import annotations

import asyncio
import logging

from prometheus_client import Counter

from service.derivatives.stored import DerivedStore
from service.originals.originals import Originals
from service.store.errors import NotFound, StoreError

PAUSE = 2.0  # seconds before it is begun: what a change removes itself is mostly gone by then
LONGEST = 300.0  # seconds between two tries while the store does not answer, after twice as many each time

REMOVED = Counter(
    "image_gateway_takedown_objects",
    "Objects of former images that were removed from the derived container after the change itself was answered.",
    registry=None,
)

log = logging.getLogger(__name__)


class Takedowns:
    """The images of which the derived container may hold what was made of a former original. `run` it as a task."""

    def __init__(self, originals: Originals, stored: DerivedStore) -> None:
        self._originals = originals
        self._stored = stored
        self._images: dict[str, None] = {}
        self._added = asyncio.Event()

    def __len__(self) -> int:
        return len(self._images)

    def __contains__(self, image: str) -> bool:
        return image in self._images

    def add(self, image: str) -> None:
        """Have the container looked through for this image, until that succeeds."""
        self._images[image] = None
        self._added.set()

    def discharge(self, image: str) -> None:
        """All that the container held of the image was removed."""
        self._images.pop(image, None)

    async def run(self) -> None:
        """Look through the container for each image, until cancelled."""
        pause = PAUSE
        while True:
            await self._added.wait()
            await asyncio.sleep(pause)
            try:
                await self.work()
                pause = PAUSE
            except (StoreError, OSError) as error:
                pause = min(2 * pause, LONGEST)
                log.warning(
                    "the derived container may hold images of former originals (of %d images); tried again in %g s: %s",
                    *(len(self._images), pause, error),
                )

    async def work(self) -> int:
        """Look through the container once for each image; how many objects were removed. Raises StoreError, OSError."""
        self._added.clear()
        total = 0
        try:
            for image in list(self._images):
                total += await self.look_through(image)
                self.discharge(image)
        finally:
            if self._images:
                self._added.set()
            if total:
                log.info("%d objects of former images were removed from the derived container", total)
        return total

    async def look_through(self, image: str) -> int:
        """Remove what the container holds of another original than the store has under this name now; how many objects.
        Raises StoreError, OSError."""
        etag: str | None
        try:
            etag = (await self._originals.stat(image, fresh=True)).etag
        except NotFound:
            etag = None
        removed = await self._stored.remove_others(image, etag)
        REMOVED.inc(removed)
        return removed
