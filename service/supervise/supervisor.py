"""Run several programs in the foreground: start, restart, reload, and stop them together."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from service.supervise.program import Program, Runner


class Supervisor:
    """Runs programs; all on one event loop."""

    def __init__(
        self, programs: Sequence[Program], running: Mapping[str, asyncio.subprocess.Process] | None = None
    ) -> None:
        """`running` are processes that run already, by the names of their programs."""
        processes = running or {}
        self._runners = {program.name: Runner(program, processes.get(program.name)) for program in programs}
        self._stopping = asyncio.Event()
        self._reload = asyncio.Event()
        self._hurry = asyncio.Event()

    async def run(self, announce: Callable[[], None], reload: Callable[[], Awaitable[None]]) -> None:
        """Keep the programs running until SIGTERM or SIGINT, then stop them, the last first. Each is started when the
        one before it is ready, or after `hurry`.

        `announce` is called once, when all are ready; `reload` at every SIGHUP, at those before that only then. Raises
        StartFailed, with nothing left running, when one of them cannot be started at all.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopping.set)
        loop.add_signal_handler(signal.SIGHUP, self._reload.set)
        tasks: dict[str, asyncio.Future[None]] = {}
        try:
            for name, runner in self._runners.items():
                tasks[name] = asyncio.ensure_future(runner.run())
                if not await _first_of((runner.ready, self._hurry), self._stopping, *tasks.values()):
                    return
            for runner in self._runners.values():
                if not await _first_of((runner.ready,), self._stopping, *tasks.values()):
                    return
            announce()
            while await _first_of((self._reload,), self._stopping, *tasks.values()):
                self._reload.clear()
                await _unless(self._stopping, reload())
        finally:
            for name, task in reversed(tasks.items()):
                await self._runners[name].stop()
                task.cancel()
                await asyncio.wait({task})

    def reload(self) -> None:
        """Do as at SIGHUP."""
        self._reload.set()

    def hurry(self) -> None:
        """Start the programs without waiting for those before them to be ready."""
        self._hurry.set()

    def signal(self, name: str, number: signal.Signals) -> None:
        """Send a signal to a program, if it runs."""
        self._runners[name].signal(number)

    async def replace(self, program: Program, successor: asyncio.subprocess.Process | None = None) -> bool:
        """Let a new process, or the `successor` that runs already, follow the one that runs under this program's name.
        They overlap: when the new one is prepared the old one is stopped, and it is for the new one to wait until the
        old one is gone. False where the new one does not become ready; the program is then what it was before."""
        return await self._runners[program.name].replace(program, successor)


async def _first_of(wanted: Sequence[asyncio.Event], stopping: asyncio.Event, *tasks: asyncio.Future[None]) -> bool:
    """Wait for any of the events; whether it was a wanted one. Raises what a task raises meanwhile."""
    waits = [asyncio.ensure_future(event.wait()) for event in (*wanted, stopping)]
    everything: list[asyncio.Future[Any]] = [*waits, *tasks]
    try:
        await asyncio.wait(everything, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
    for task in tasks:
        if task.done():
            task.result()
    return any(event.is_set() for event in wanted) and not stopping.is_set()


async def _unless(stopping: asyncio.Event, work: Awaitable[None]) -> None:
    """Do the work, or as much of it as can be done until the event."""
    task, stop = asyncio.ensure_future(work), asyncio.ensure_future(stopping.wait())
    await asyncio.wait({task, stop}, return_when=asyncio.FIRST_COMPLETED)
    stop.cancel()
    if not task.done():
        task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
