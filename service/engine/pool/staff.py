"""Starts the engine processes, and replaces each that ends.

A process that is free is offered to the queue; jobs take it from there.
"""

from __future__ import annotations

import asyncio
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
        self._reinforcing = False  # a second process is being started
        self._watchers: set[asyncio.Task[None]] = set()
        self._endings: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Start all processes. Raises EngineError when one does not come.

        A process that others end before it is ready is started again, STARTS times in all.
        """
        first = (self._hire_first() for _ in range(self._settings.processes))
        failures = [failure for failure in await asyncio.gather(*first, return_exceptions=True) if failure is not None]
        if failures:
            raise EngineError(f"no engine process can be started: {failures[0]}") from failures[0]

    async def close(self) -> None:
        """End every process; return when they are gone."""
        for watcher in self._watchers:
            watcher.cancel()
        await asyncio.gather(*self._watchers, return_exceptions=True)
        await asyncio.gather(*(process.kill() for process in self.processes))
        await asyncio.gather(*self._endings)
        await self._forks.close()
        self.processes.clear()

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

    async def _hire_first(self) -> None:
        for left in reversed(range(STARTS)):
            try:
                await self._hire()
            except Died as died:
                if not died.from_outside or not left:
                    raise
                log.warning("an engine process was ended before it was ready, and is started again: %s", died)
            else:
                break

    async def _hire_second(self) -> None:
        try:
            await self._hire()
        except (Died, OSError) as error:
            log.error("no second engine process can be started beside a slow job: %s", error)
        finally:
            self._reinforcing = False

    async def _hire(self) -> None:
        process = await EngineProcess.start(self._settings, self._forks)
        self._warn_of_gaps(process.sandbox)
        self.capabilities, self.sandbox = process.capabilities, process.sandbox
        self.processes.add(process)
        track(self._watchers, self._watch(process))
        self._queue.offer(process)

    def _warn_of_gaps(self, report: dict[str, bool | str]) -> None:
        """Log once what this machine cannot enforce: images are decoded all the same."""
        for bar, state in report.items():
            if state is not True and self.sandbox.get(bar) != state:
                log.warning("ENGINE PROCESSES ARE NOT CONFINED in one respect, %s: %s", bar, state)

    async def _watch(self, process: EngineProcess) -> None:
        """Replace the process when it ends, for whatever reason, unless it was the second one and no slow job is left;
        ever slower while that fails."""
        await process.wait()
        self.processes.discard(process)
        self._queue.withdraw(process)
        alone = self._settings.processes == 1 and bool(self._queue.slots("slow"))
        if len(self.processes) >= self._settings.processes + alone:
            return
        pause = REHIRE[0]
        while True:
            self._stats.restarts += 1
            try:
                await self._hire()
            except (Died, OSError) as error:
                log.error("an engine process cannot be started: %s", error)
            else:
                break
            self.failing = True
            await asyncio.sleep(pause)
            pause = min(2 * pause, REHIRE[1])
        self.failing = False


def track(tasks: set[asyncio.Task[None]], work: Coroutine[Any, Any, None]) -> None:
    """Run `work` as a task that is in `tasks` until it ends."""
    task = asyncio.ensure_future(work)
    tasks.add(task)
    task.add_done_callback(tasks.discard)
