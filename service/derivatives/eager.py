"""Eager presets: made of each new original behind the answer to its upload, while the engine is idle."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Sequence

from prometheus_client import Counter

from service.derivatives.derivatives import Derivatives
from service.derivatives.warming import Wanted, make, wait_for_engine
from service.engine.job import EngineError
from service.engine.pool.pool import EnginePool
from service.store.errors import StoreError

MOST = 10_000  # images that wait; more are left for their first visitors
PAUSE = 5.0  # seconds after which it goes on where the store, the disk or the engine failed

MADE = Counter(
    "image_gateway_eager",
    "Derived images of eager presets. made; there: they were already; failed; dropped: too many images waited.",
    ["outcome"],
    registry=None,
)

log = logging.getLogger(__name__)


class Eager:
    """The images whose eager presets are to be made. `names` gives what is to be made of an image; None for nothing."""

    def __init__(
        self, derivatives: Derivatives, engine: EnginePool, names: Callable[[str], Sequence[Wanted]] | None
    ) -> None:
        self._derivatives = derivatives
        self._engine = engine
        self._names = names
        self._images: dict[str, None] = {}
        self._making = False  # whether they are being made of one more image
        self._added = asyncio.Event()

    def __len__(self) -> int:
        return len(self._images) + self._making

    @property
    def is_on(self) -> bool:
        return self._names is not None

    def add(self, image: str) -> None:
        """Have them made of this image."""
        if self._names is None:
            return
        if len(self._images) >= MOST and image not in self._images:
            MADE.labels("dropped").inc()
            return
        self._images[image] = None
        self._added.set()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Make them while the context lasts."""
        task = asyncio.create_task(self._run(self._names)) if self._names else None
        try:
            yield
        finally:
            if task:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    async def _run(self, names: Callable[[str], Sequence[Wanted]]) -> None:
        while True:
            await self._added.wait()
            try:
                while self._images:
                    image = next(iter(self._images))
                    del self._images[image]  # which an upload meanwhile adds again
                    await self._make(names(image))
                self._added.clear()
            except (StoreError, EngineError, OSError) as error:
                self._images.setdefault(image)
                log.warning("eager presets wait (of %d images): %s", len(self._images), error)
                await asyncio.sleep(PAUSE)
            except Exception:
                log.exception("the eager presets of an image could not be made")

    async def _make(self, wanted: Sequence[Wanted]) -> None:
        self._making = True
        try:
            await self._make_each(wanted)
        finally:
            self._making = False

    async def _make_each(self, wanted: Sequence[Wanted]) -> None:
        for name, accept in wanted:
            await wait_for_engine(self._engine)
            outcome = await make(self._derivatives, name, accept)
            if outcome == "gone":
                return
            failed = outcome != "MISS" and not outcome.startswith("HIT-")
            if failed:
                log.warning("%s, of an eager preset, cannot be made: %s", name, outcome)
            MADE.labels("failed" if failed else "made" if outcome == "MISS" else "there").inc()
