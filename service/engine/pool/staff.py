"""Starts engine processes when jobs need them, replaces each that ends, and ends all of them when there are no jobs.

A process that is free is offered to the queue; jobs take it from there.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Coroutine
from typing import Any

from service.engine.job import EngineError
from service.engine.pool.ending import Died
from service.engine.pool.forks import ForkServer
from service.engine.pool.process import EngineProcess
from service.engine.pool.queue import Queue
from service.engine.pool.settings import EngineSettings
from service.engine.pool.stats import Stats

REHIRE = (0.25, 10.0)
"""Seconds before the next try when a process could not be started, doubled each time, and their most."""

IDLE = 60.0
"""Seconds without any job after which the processes end: each holds 3 MiB for itself before its first job, and 9 later.
The next job waits for another one: 10 ms on an idle machine."""

STARTS = 5
"""How often a process is started that others end before it is ready."""

log = logging.getLogger(__name__)


class Staff:
    """The processes that are up; all on one event loop. `failing` says that the last try to start one failed."""

    def __init__(self, settings: EngineSettings, queue: Queue[EngineProcess], stats: Stats) -> None:
        self.processes: set[EngineProcess] = set()
        self.capabilities: dict[str, tuple[bool, bool]] = {}
        self.sandbox: dict[str, bool | str] = {}
        self.failing = False
        self._settings = settings
        self._queue = queue
        self._stats = stats
        self._forks = ForkServer(settings)
        self._starting = 0  # processes that are being started
        self._reinforcing = False  # a second process is being started
        self._watchers: set[asyncio.Task[None]] = set()
        self._endings: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Start one process, which tells what it can do and how it is confined, and end it: a job starts the next.

        Raises EngineError when it does not come. One that others end before it is ready is started again, STARTS times
        in all.
        """
        for left in reversed(range(STARTS)):
            try:
                process = await self._start_one()
            except (Died, OSError) as error:
                if not (isinstance(error, Died) and error.from_outside and left):
                    raise EngineError(f"no engine process can be started: {error}") from error
                log.warning("an engine process was ended before it was ready, and is started again: %s", error)
            else:
                track(self._endings, process.kill())
                return

    async def close(self) -> None:
        """End every process; return when they are gone."""
        for watcher in self._watchers:
            watcher.cancel()
        await asyncio.gather(*self._watchers, return_exceptions=True)
        await asyncio.gather(*(process.kill() for process in self.processes))
        await asyncio.gather(*self._endings)
        await self._forks.close()
        self.processes.clear()

    @property
    def missing(self) -> int:
        """How many processes are not up."""
        return max(0, self._settings.processes - len(self.processes))

    def hire(self, wanted: int) -> None:
        """Start processes, until as many are being started as are `wanted`, or as there may be."""
        while self._starting < min(wanted, self.missing):
            self._begin(replaces=False)

    def reinforce(self) -> bool:
        """Start a second process where there is but one, and a slow job has it. Return True.

        A start takes long on a busy machine, so none is begun beside one that is under way.
        """
        if self._settings.processes == 1 and len(self.processes) == 1 and not self._reinforcing:
            self._reinforcing = True
            track(self._watchers, self._hire_second())
        return True

    def release(self, process: EngineProcess) -> None:
        """Offer a process that has done its job to the next; replace one that has done many or holds much memory."""
        spare = len(self.processes) > self._settings.processes and self._queue.slots("slow") <= {process}
        if not spare and process.jobs < self._settings.recycle and process.resident() <= self._settings.memory // 2:
            self._queue.offer(process)
        else:
            self.replace(process)

    def replace(self, process: EngineProcess) -> None:
        """End a process in good health; its watcher sees to the next."""
        self._stats.recycled += 1
        track(self._endings, process.kill())

    async def end(self, process: EngineProcess) -> None:
        """End a process over its job."""
        self._stats.kills += process.alive
        await process.kill()

    async def _hire_second(self) -> None:
        try:
            await self._hire()
        except (Died, OSError) as error:
            log.error("no second engine process can be started beside a slow job: %s", error)
        finally:
            self._reinforcing = False

    def _begin(self, *, replaces: bool) -> None:
        self._starting += 1
        track(self._watchers, self._hire_at_last(replaces=replaces))

    async def _hire_at_last(self, *, replaces: bool) -> None:
        """Try to start a process until there is one, ever slower."""
        pause = REHIRE[0]
        try:
            while not await self._try_to_hire(replaces=replaces):
                await asyncio.sleep(pause)
                pause = min(2 * pause, REHIRE[1])
        finally:
            self._starting -= 1

    async def _try_to_hire(self, *, replaces: bool) -> bool:
        self._stats.restarts += replaces
        try:
            await self._hire()
        except (Died, OSError) as error:
            log.error("an engine process cannot be started: %s", error)
            self.failing = True
            if not self.processes:
                self._queue.turn_away()
        else:
            self.failing = False
        return not self.failing

    async def _hire(self) -> None:
        process = await self._start_one()
        self.processes.add(process)
        track(self._watchers, self._watch(process))
        self._queue.offer(process, new=True)

    async def _start_one(self) -> EngineProcess:
        process = await EngineProcess.start(self._settings, self._forks)
        self._warn_of_gaps(process.sandbox)
        self.capabilities, self.sandbox = process.capabilities, process.sandbox
        return process

    def _warn_of_gaps(self, report: dict[str, bool | str]) -> None:
        """Log once what this machine cannot enforce: images are decoded all the same."""
        for bar, state in report.items():
            if state is not True and self.sandbox.get(bar) != state:
                log.warning("ENGINE PROCESSES ARE NOT CONFINED in one respect, %s: %s", bar, state)

    async def _watch(self, process: EngineProcess) -> None:
        """End the process when no process has a job for IDLE. Replace it when it ends otherwise, unless it was the
        second one and no slow job is left."""
        while process.alive:
            left = IDLE - min(other.idle for other in self.processes)
            if left <= 0 and not self.failing and self._dismiss(process):
                return
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(left if left > 0 else IDLE):
                    await process.wait()
        await process.wait()  # it may have ended as the time did
        self.processes.discard(process)
        self._queue.withdraw(process)
        alone = self._settings.processes == 1 and bool(self._queue.slots("slow"))
        if len(self.processes) + self._starting < self._settings.processes + alone:
            self._begin(replaces=True)

    def _dismiss(self, process: EngineProcess) -> bool:
        """End a process that is free. Return False where a job has it."""
        if not self._queue.take_back(process):
            return False
        self.processes.discard(process)
        track(self._endings, process.kill())
        return True


def track(tasks: set[asyncio.Task[None]], work: Coroutine[Any, Any, None]) -> None:
    """Run `work` as a task that is in `tasks` until it ends."""
    task = asyncio.ensure_future(work)
    tasks.add(task)
    task.add_done_callback(tasks.discard)
