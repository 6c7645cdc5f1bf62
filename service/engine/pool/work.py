"""One job in one engine process: what comes of it, and what it costs the process, the image and those who wait."""

from __future__ import annotations

import asyncio
import logging
import signal
import time

from service.engine.job import Crashed, EngineError, Interrupted, Job, Result, Saturated, TimedOut
from service.engine.pool.blocklist import Blocklist
from service.engine.pool.ending import Died
from service.engine.pool.lanes import SLOW_AFTER, Lane
from service.engine.pool.process import EngineProcess
from service.engine.pool.queue import Queue
from service.engine.pool.staff import Staff
from service.engine.pool.stats import Stats

LOOK = 0.1
"""Seconds between two looks at whether others wait for a process that a slow job has."""

log = logging.getLogger(__name__)


class Displaced(Exception):
    """A slow job gave its process up to others that wait; it is begun once more in the slow lane."""


class Work:
    """Does jobs in processes that the queue has handed out. `seconds` is what one takes, a moving average."""

    def __init__(self, staff: Staff, queue: Queue[EngineProcess], stats: Stats, time: float) -> None:
        self.seconds = 0.1
        self.closing = False  # a process that ends is no fault of its job any more
        self._staff = staff
        self._queue = queue
        self._stats = stats
        self._time = time
        self._deadly = Blocklist()  # by content
        self._slow = Blocklist()  # by content and what was to become of it

    def refuse_blocked(self, job: Job, content: str) -> None:
        """Raise Crashed for a content that ended processes lately, TimedOut for what took too long lately."""
        if content in self._deadly:
            self._stats.banned += 1
            raise Crashed("this image ended engine processes lately and is not tried again for a while")
        if _deed(job, content) in self._slow:
            self._stats.banned += 1
            raise TimedOut("this took too long lately and is not tried again for a while")

    async def do(self, process: EngineProcess, job: Job, lane: Lane, content: str) -> Result:
        """Have the process do the job, then release or replace it. Raises EngineError and Displaced."""
        began = time.monotonic()
        self._stats.running += 1
        try:
            async with asyncio.timeout(self._time):
                outcome = await self._ask(process, job, lane)
        except Displaced:
            await self._staff.end(process)
            raise
        except TimeoutError:
            await self._staff.end(process)
            raise self._too_long(job, content) from None
        except Died as died:
            await self._staff.end(process)
            raise self._death(process, died, job, content) from died
        except asyncio.CancelledError:
            await self._staff.end(process)
            raise
        finally:
            self._stats.running -= 1
        self.seconds += 0.1 * (time.monotonic() - began - self.seconds)
        self._staff.release(process)
        if isinstance(outcome, Result):
            return outcome
        raise outcome

    async def _ask(self, process: EngineProcess, job: Job, lane: Lane) -> Result | EngineError:
        """What comes of a job. Raises Died, and Displaced for a slow check that must give way."""
        if lane not in ("upload", "slow"):
            return await process.ask(job)
        answer = asyncio.ensure_future(process.ask(job))
        slow, reinforced = lane == "slow", False
        try:
            await asyncio.wait({answer}, timeout=SLOW_AFTER)
            while not answer.done():
                slow = slow or self._queue.move(process, "slow")
                if any(count for name, count in self._queue.waiting.items() if name != "slow"):
                    if not slow:
                        raise Displaced
                    reinforced = reinforced or self._staff.reinforce()
                await asyncio.wait({answer}, timeout=LOOK)
            return await answer
        finally:
            answer.cancel()
            await asyncio.gather(answer, return_exceptions=True)

    def _death(self, process: EngineProcess, died: Died, job: Job, content: str) -> EngineError:
        """Return the error of a job whose process ended over it."""
        if self.closing:
            return Saturated("the engine is closing")
        log.warning("engine process %d ended over a job: %s", process.pid, died)
        if died.from_outside:
            return Interrupted("others ended the engine process that worked on the image")
        if died.signal == signal.SIGXCPU:
            return self._too_long(job, content)
        self._deadly.strike(content)
        return Crashed("the engine process ended over this image")

    def _too_long(self, job: Job, content: str) -> TimedOut:
        self._slow.strike(_deed(job, content))
        return TimedOut(f"the image took longer than {self._time:g} s")


def _deed(job: Job, content: str) -> str:
    """The key of what becomes of a content: slow is not the image, but one thing done with it. Empty as `content`."""
    return content and f"{content}\n{job.task} {job.recipe} {job.format}"
