"""Run one program: restart it when it ends, replace it by a successor, stop it with its process group."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import logging
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path

PR_SET_PDEATHSIG = 1  # prctl(2)
QUICKEST_RESTART = 0.2  # seconds before a program that died is started again, doubled each time...
SLOWEST_RESTART = 10.0  # ...up to this
STEADY = 60.0  # seconds of service after which a program that died is started again at once
MOST_AWAY = 0.1  # of the time that a program served before it died: the pause is no longer
LONG_AWAY = 1.0  # seconds of pause from which on requests do not wait for a program: that of the third end in a row
LONGEST_START = 120.0  # seconds that a new process may take to follow an old one that is gone
POLL = 0.02  # seconds between two questions whether a program is ready

log = logging.getLogger(__name__)


class StartFailed(Exception):
    """A program ended before it was ready for the first time; what it said is on standard error."""


@dataclass(frozen=True, slots=True)
class Program:
    """What is run: `ready` says whether the process of this id serves, `prepared` whether it would if only its
    predecessor were gone; `stop` ends it gracefully, within `patience` seconds. It inherits the `descriptors`, and
    finds `environment` added to ours. `absence` is entered when it ends again and again, and left when it is ready."""

    name: str
    command: Sequence[str]
    ready: Callable[[int], bool]
    stop: signal.Signals
    patience: float
    prepared: Callable[[int], bool] = lambda _pid: True
    descriptors: tuple[int, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    absence: Callable[[], AbstractAsyncContextManager[None]] | None = None


class Runner:
    """Runs one program, and starts it again when it ends."""

    def __init__(self, program: Program, process: asyncio.subprocess.Process | None = None) -> None:
        """`process` is one that runs already, the first of this program."""
        self.ready = asyncio.Event()  # the process that runs now serves
        self._program = program
        self._process: asyncio.subprocess.Process | None = None
        self._successor = process
        self._stopping = False
        self._starting = asyncio.Lock()  # held from the decision what runs next until it is known as what runs
        self._ready_since = 0.0  # on the loop's clock, while `ready` is set
        self._absence: contextlib.AsyncExitStack | None = None
        self._wake = asyncio.Event()  # a successor is there, so there is nothing to wait for before the next start

    async def run(self) -> None:
        """Run the program, again and again. Raises StartFailed when it ends before it ever was ready."""
        pause = QUICKEST_RESTART
        ever_ready = False
        while not self._stopping:
            async with self._starting:
                self._process, self._successor = self._successor or await spawn(self._program), None
                self._wake.clear()
            watch = asyncio.ensure_future(self._watch_ready(self._process))
            status = await self._process.wait()
            watch.cancel()
            served = self._served()
            ever_ready |= self.ready.is_set()
            self.ready.clear()
            _end_group(self._process.pid)
            if self._stopping or self._successor:
                continue
            if not ever_ready:
                raise StartFailed(f"{self._program.name} ended with status {status} before it was ready")
            pause = next_pause(pause, served)
            when = f"in {pause:.1f} s" if pause else "at once"
            log.error("%s ended with status %d; it is started again %s", self._program.name, status, when)
            await self._pause(pause)

    async def replace(self, program: Program, successor: asyncio.subprocess.Process | None = None) -> bool:
        """As `Supervisor.replace`."""
        successor = successor or await spawn(program)
        try:
            if await self._hand_over(program, successor):
                return True
        except asyncio.CancelledError:
            if successor not in (self._process, self._successor):  # else it is for `stop` to end
                await _end(program, successor)
            raise
        await _end(program, successor)
        return False

    async def _hand_over(self, program: Program, successor: asyncio.subprocess.Process) -> bool:
        if not await _until(successor, lambda: program.prepared(successor.pid)):
            return False
        async with self._starting:
            before, self._program, self._successor = self._program, program, successor
            self._wake.set()
        if self._process is not None:
            await _end(before, self._process)
        if await _until(successor, lambda: self._process is successor and self.ready.is_set()):
            return True
        self._program = before
        return False

    async def _pause(self, seconds: float) -> None:
        """Wait before the next start, unless a successor comes."""
        if seconds > LONG_AWAY:
            await self._begin_absence()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wake.wait()

    async def _begin_absence(self) -> None:
        if self._program.absence is None or self._absence is not None:
            return
        absence = contextlib.AsyncExitStack()
        try:
            await absence.enter_async_context(self._program.absence())
        except OSError as error:
            log.warning("requests for %s have to wait: %s", self._program.name, error)
            return
        self._absence = absence
        log.error("requests for %s are answered 503 until it is ready", self._program.name)

    async def _end_absence(self) -> None:
        absence, self._absence = self._absence, None
        if absence is not None:
            await absence.aclose()

    async def stop(self) -> None:
        """End the program: gracefully, and if that takes too long, at once."""
        self._stopping = True
        await self._end_absence()
        async with self._starting:
            running = self._process, self._successor
        for process in running:
            if process is not None:
                await _end(self._program, process)
        self._successor = None

    def signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(number)

    async def _watch_ready(self, process: asyncio.subprocess.Process) -> None:
        while not self.ready.is_set():
            await asyncio.sleep(POLL)
            if self._program.ready(process.pid):
                await self._end_absence()
                self._ready_since = asyncio.get_running_loop().time()
                self.ready.set()

    def _served(self) -> float:
        """Seconds since the process that runs now, or ran last, was ready; 0 when it never was."""
        return asyncio.get_running_loop().time() - self._ready_since if self.ready.is_set() else 0.0


def next_pause(pause: float, served: float) -> float:
    """Seconds to wait before a program that died is started again, after a `pause` before its last start and `served`
    seconds of service since.

    A program that was not ready is given ever longer pauses. For one that served, a pause is short beside its service,
    and after STEADY seconds of service there is none.
    """
    if served >= STEADY:
        return 0.0
    longer = min(max(2 * pause, QUICKEST_RESTART), SLOWEST_RESTART)
    return min(longer, max(QUICKEST_RESTART, MOST_AWAY * served)) if served else longer


async def spawn(program: Program) -> asyncio.subprocess.Process:
    """Start a program in a session of its own; it is told to end when this process does."""
    return await asyncio.create_subprocess_exec(
        *program.command,
        stdin=asyncio.subprocess.DEVNULL,
        preexec_fn=_leave_with_parent,
        pass_fds=program.descriptors,
        env={**os.environ, **program.environment},
    )


async def _until(process: asyncio.subprocess.Process, condition: Callable[[], bool]) -> bool:
    """Wait for a condition; whether it came true within LONGEST_START seconds, while the process ran."""
    end = asyncio.get_running_loop().time() + LONGEST_START
    while process.returncode is None and asyncio.get_running_loop().time() < end:
        if condition():
            return True
        await asyncio.sleep(POLL)
    return False


async def end(process: asyncio.subprocess.Process, stop: signal.Signals, patience: float, name: str) -> None:
    """End a process and all that it started: gracefully, and if that takes too long, at once."""
    if process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(stop)
    try:
        async with asyncio.timeout(patience):
            await process.wait()
    except TimeoutError:
        log.error("%s did not stop within %g s; it is killed", name, patience)
    _end_group(process.pid)
    await process.wait()


async def _end(program: Program, process: asyncio.subprocess.Process) -> None:
    await end(process, program.stop, program.patience, program.name)


def _leave_with_parent() -> None:
    """In the child, before it runs: a group of its own, which ends when this process does."""
    os.setsid()
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _end_group(pid: int) -> None:
    """End whatever a program has left behind: nginx's workers outlive a master that was killed."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def wrote_its_pid(pid: int, file: Path) -> bool:
    """Whether a program has written its id to its pid file, as it does once it serves."""
    try:
        return file.read_text().strip() == str(pid)
    except OSError:
        return False
