"""Walk through the derived container, and remove derived images of former originals: repair of what a change has left.

They remain if a process is killed between a change of an original and the removal of its derived images, or if an
original expires or is deleted outside the gateways. The listings of both containers tell of an object whose original is
gone, or was stored after it. The object itself is asked once, if it was stored so soon after its original that a node
may have known only a former one. The store is asked about each suspect before anything is removed.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

from gateway.rules import ORIGINAL_TYPES
from service.derivatives.takedown import Takedowns
from service.maintenance.pace import HEAD, LIST, REMOVE, ROW, Pace
from service.maintenance.progress import Progress, saved_progress
from service.maintenance.share import Share, just_before
from service.store.base import Container, StoredObject
from service.store.errors import NotFound, StoreError

PAGE = 1000  # names of a listing at once
MORE = 10  # originals of which nothing is derived may lie between those that are sought
FIRST = 10.0  # seconds after a start, which has more urgent work
AGAIN = 300.0  # seconds after a failure
INTERVAL = 3600.0  # seconds between the beginnings of two walks, at least
LATE = 3600.0  # seconds: no node makes a derived image of an original that was replaced so long ago
SLACK = 120.0  # seconds that a listing may lag, and clocks may differ
_JPEG = ORIGINAL_TYPES["jpg"]

log = logging.getLogger(__name__)


class Leftovers:
    """Compares the derived container with the originals; `takedowns` removes. `record` is the file that remembers the
    place, `now` gives the store's time, None before its first answer. With `counts` a container tells cheaply how many
    objects it holds."""

    def __init__(
        self,
        originals: Container,
        derived: Container,
        takedowns: Takedowns,
        record: Path,
        now: Callable[[], float | None],
        share: Share,
        pace: Pace,
        *,
        counts: bool,
    ) -> None:
        self._originals = originals
        self._derived = derived
        self._takedowns = takedowns
        self._record = record
        self._now = now
        self._share = share
        self._pace = pace
        self._counts = counts
        self.progress = saved_progress(record, str(share))

    @property
    def age(self) -> float | None:
        """Seconds since a walk of the whole share ended; None before the first."""
        return max(0.0, self._time() - self.progress.finished) if self.progress.finished else None

    async def run(self) -> None:
        """Walk soon, since a process may have been killed, and then an hour after the last walk began at the earliest,
        until cancelled."""
        await asyncio.sleep(FIRST)
        while True:
            try:
                await self.walk()
                pause = self.progress.began + INTERVAL - self._time()
            except (StoreError, OSError) as error:
                log.warning("the derived container cannot be compared with the originals: %s", error)
                pause = AGAIN
            await asyncio.sleep(max(pause, FIRST))

    async def walk(self) -> int:
        """Walk once, or to the end of the walk that was begun; how many objects it has removed. Raises StoreError,
        OSError."""
        begin, end = await self._share.places(self._derived, self._pace)
        if not self._is_under_way:
            await self._begin()
        progress = self.progress
        marker: str | None = max(progress.place, just_before(begin))
        while marker is not None:
            page = await self._derived.list(marker=marker, limit=PAGE)
            inside = [one for one in page.objects if begin <= one.name and (end is None or one.name < end)]
            await self._pace.spent(LIST + len(page.objects) * ROW)
            await self._look_at([one for one in inside if _image(one)])
            progress.walked += len(inside)
            progress.place = inside[-1].name if inside else progress.place
            progress.save(self._record)
            marker = page.marker if end is None or (page.marker or "") < end else None
        return self._end()

    @property
    def _is_under_way(self) -> bool:
        return self.progress.began > self.progress.finished

    async def _begin(self) -> None:
        before = self.progress
        expected = before.walked
        if self._counts:
            expected = (await self._derived.usage()).images // self._share.count
        self.progress = Progress(before.share, began=self._time(), expected=expected)
        self.progress.checked, self.progress.finished = before.checked, before.finished
        self.progress.jpeg_part = before.jpeg_part

    def _end(self) -> int:
        progress = self.progress
        progress.checked, progress.finished = progress.began, max(self._time(), progress.began)
        progress.jpeg_part = progress.met_jpeg_bytes / progress.met_bytes if progress.met_bytes else 0.0
        progress.save(self._record)
        return progress.removed

    async def _look_at(self, page: Sequence[StoredObject]) -> None:
        originals = await self._stored(sorted({_image(one) for one in page}))
        suspects = dict[str, int]()
        for kept in page:
            image = _image(kept)
            if image not in suspects and await self._is_suspect(kept, originals.get(image)):
                suspects[image] = 1
        for image in suspects:
            self.progress.removed += await self._remove(image)
            await self._pace.spent(REMOVE)

    async def _is_suspect(self, kept: StoredObject, original: StoredObject | None) -> bool:
        if original is None or kept.modified < original.modified:
            return True
        if kept.modified > original.modified + LATE or kept.modified < self.progress.checked - SLACK:
            return False
        try:
            found = await self._derived.stat(kept.name)
        except NotFound:
            return False
        await self._pace.spent(HEAD)
        return found.metadata.get("original-etag") != original.etag

    async def _remove(self, image: str) -> int:
        """Remove what is of another original; how many objects. What the store does not let be removed now is removed
        later."""
        try:
            return await self._takedowns.look_through(image)
        except (StoreError, OSError):
            self._takedowns.add(image)
            return 0

    async def _stored(self, images: Sequence[str]) -> dict[str, StoredObject]:
        """The originals of these names, which are in their order, from the listing; what lies between them is jumped
        over."""
        found, wanted, waiting, marker = dict[str, StoredObject](), set(images), deque(images), ""
        while waiting:
            marker = max(marker, just_before(waiting[0]))
            page = await self._originals.list(marker=marker, limit=min(PAGE, len(waiting) + MORE))
            await self._pace.spent(LIST + len(page.objects) * ROW)
            self.progress.met_bytes += sum(one.bytes for one in page.objects)
            self.progress.met_jpeg_bytes += sum(one.bytes for one in page.objects if one.content_type == _JPEG)
            found |= {one.name: one for one in page.objects if one.name in wanted}
            if page.marker is None:
                break
            marker = page.marker
            while waiting and waiting[0] <= marker:
                waiting.popleft()
        return found

    def _time(self) -> float:
        return self._now() or time.time()


def _image(one: StoredObject) -> str:
    """The image that an object of the derived container was made of; empty for what no gateway has written."""
    image, _, leaf = one.name.rpartition("/")
    return image if leaf.startswith("@") else ""
