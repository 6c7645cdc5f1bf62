"""nginx and the service, kept alive in the foreground: what dies comes back, a stop is graceful, nothing is left."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PR_SET_PDEATHSIG = 1  # prctl(2)
QUICKEST_RESTART = 0.2  # seconds before a program that died is started again, doubled each time...
SLOWEST_RESTART = 10.0  # ...up to this
STEADY = 30.0  # seconds after which a program counts as healthy again
POLL = 0.05  # seconds between two questions whether a program is ready

log = logging.getLogger(__name__)


class StartFailed(Exception):
    """A program ended before it was ready for the first time; what it said is on standard error."""


@dataclass(frozen=True, slots=True)
class Program:
    """What is kept alive: `ready` tells whether the process of this id serves; `stop` ends it gracefully, within
    `patience` seconds."""

    name: str
    command: Sequence[str]
    ready: Callable[[int], Awaitable[bool]]
    stop: signal.Signals
    patience: float


async def supervise(programs: Sequence[Program], announce: Callable[[], None]) -> None:
    """Keep the programs running until SIGTERM or SIGINT, then stop them, the last first.

    `announce` is called once, when all are ready. Raises StartFailed, with nothing left running, when one of them
    cannot be started at all.
    """
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    keepers = [_Keeper(program) for program in programs]
    tasks = []
    try:
        for keeper in keepers:
            tasks.append(asyncio.ensure_future(keeper.keep()))
            if not await _first_of(keeper.was_ready, stopping, tasks[-1]):
                return
        announce()
        await _first_of(stopping, stopping, *tasks)
    finally:
        for keeper, task in reversed(list(zip(keepers, tasks, strict=False))):
            await keeper.stop()
            task.cancel()
            await asyncio.wait({task})


async def _first_of(wanted: asyncio.Event, stopping: asyncio.Event, *tasks: asyncio.Future[None]) -> bool:
    """Wait for either event; whether it was the wanted one. Raises what a task raises meanwhile."""
    waits = [asyncio.ensure_future(event.wait()) for event in (wanted, stopping)]
    everything: list[asyncio.Future[Any]] = [*waits, *tasks]
    try:
        await asyncio.wait(everything, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
    for task in tasks:
        if task.done():
            task.result()
    return wanted.is_set() and not (stopping.is_set() and wanted is not stopping)


class _Keeper:
    """Keeps one program running."""

    def __init__(self, program: Program) -> None:
        self.was_ready = asyncio.Event()
        self._program = program
        self._process: asyncio.subprocess.Process | None = None
        self._stopping = False

    async def keep(self) -> None:
        """Run the program, again and again. Raises StartFailed when it ends before it ever was ready."""
        pause = QUICKEST_RESTART
        loop = asyncio.get_running_loop()
        while not self._stopping:
            began = loop.time()
            self._process = await asyncio.create_subprocess_exec(
                *self._program.command, stdin=asyncio.subprocess.DEVNULL, preexec_fn=_leave_with_parent
            )
            watch = asyncio.ensure_future(self._watch_ready(self._process))
            status = await self._process.wait()
            watch.cancel()
            _end_group(self._process.pid)
            if self._stopping:
                return
            if not self.was_ready.is_set():
                raise StartFailed(f"{self._program.name} ended with status {status} before it was ready")
            pause = QUICKEST_RESTART if loop.time() - began > STEADY else min(2 * pause, SLOWEST_RESTART)
            log.error("%s ended with status %d; it is started again in %.1f s", self._program.name, status, pause)
            await asyncio.sleep(pause)

    async def stop(self) -> None:
        """End the program: gracefully, and if that takes too long, at once."""
        self._stopping = True
        process = self._process
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(self._program.stop)
        try:
            async with asyncio.timeout(self._program.patience):
                await process.wait()
        except TimeoutError:
            log.error("%s did not stop within %g s; it is killed", self._program.name, self._program.patience)
        _end_group(process.pid)
        await process.wait()

    async def _watch_ready(self, process: asyncio.subprocess.Process) -> None:
        while process.returncode is None:
            if await self._program.ready(process.pid):
                self.was_ready.set()
                return
            await asyncio.sleep(POLL)


def _leave_with_parent() -> None:
    """In the child, before it runs: a group of its own, which ends when this process does."""
    os.setsid()
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _end_group(pid: int) -> None:
    """End whatever a program has left behind: nginx's workers outlive a master that was killed."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def service_command(arguments: Sequence[str]) -> list[str]:
    """The command that runs the service alone, in the Python of this process."""
    return [sys.executable, "-m", "service", "serve", *arguments]


async def wrote_its_pid(pid: int, file: Path) -> bool:
    """Whether a program has written its id to its pid file, as nginx does once it listens."""
    try:
        return (await asyncio.to_thread(file.read_text)).strip() == str(pid)
    except OSError:
        return False


async def answers_socket(path: Path) -> bool:
    """Whether something accepts connections at this unix socket."""
    try:
        _, writer = await asyncio.open_unix_connection(path)
    except OSError:
        return False
    writer.close()
    return True
