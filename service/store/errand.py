"""Blocking work in a thread, for a task that may leave before it is done.

A thread cannot be cancelled, so a flag says that its caller has left, and the thread looks at it between its steps.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from pathlib import Path
from typing import BinaryIO, TypeVar

T = TypeVar("T")


class Abandoned(Exception):
    """The task that waited for this work was cancelled."""


class Errand:
    """What a thread and the task that waits for it share."""

    def __init__(self, target: Path | None = None) -> None:
        self._target = target
        self._lock = threading.Lock()
        self.abandoned = False

    def check(self) -> None:
        """Raise Abandoned when the caller has left."""
        if self.abandoned:
            raise Abandoned

    @contextlib.contextmanager
    def writing(self) -> Iterator[BinaryIO]:
        """The target, empty and open for writing; it is gone again when the block, or the errand, fails.

        A caller that abandons the errand removes the target, so the thread must neither make it anew after that nor
        remove what a later errand has put in its place.
        """
        if self._target is None:
            raise ValueError("this errand has no target")
        with self._lock:
            self.check()
            file = self._target.open("wb")
        try:
            with file:
                yield file
            self.check()
        except BaseException:
            with self._lock:
                if not self.abandoned:
                    self._target.unlink(missing_ok=True)
            raise

    def abandon(self) -> None:
        with self._lock:
            self.abandoned = True
            if self._target is not None:
                self._target.unlink(missing_ok=True)


async def run(
    executor: Executor,
    work: Callable[[Errand], T],
    target: Path | None = None,
    finished: Callable[[], None] = lambda: None,
) -> T:
    """The result of `work` in a thread of `executor`; after a cancellation `target` does not exist.

    `finished` is called on the event loop when the thread is free again: before this returns or raises, or, after a
    cancellation, later.
    """
    errand, loop = Errand(target), asyncio.get_running_loop()
    future = executor.submit(work, errand)

    def left(_: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop may have ended before the thread
            loop.call_soon_threadsafe(finished)

    try:
        result = await asyncio.wrap_future(future)
    except asyncio.CancelledError:
        errand.abandon()
        future.add_done_callback(left)
        raise
    except BaseException:
        finished()
        raise
    finished()
    return result
