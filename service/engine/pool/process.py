"""One engine process, seen from the service: started, asked, ended."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import math
import os
import signal
import time
from typing import Any

from service.engine.job import EngineError, Job, Removed, Result
from service.engine.pool.child import Child, Pipes
from service.engine.pool.ending import Died, how_it_ended
from service.engine.pool.forks import ForkServer
from service.engine.pool.messages import LINE, encode_job
from service.engine.pool.replies import IMPOSSIBLE, outcome
from service.engine.pool.settings import EngineSettings, Folders, identities
from service.engine.pool.workplace import Workplace
from service.engine.sandbox import sandbox, seccomp

READY_WITHIN = 30.0
"""Seconds a new process may take until it says that it can work; about 0.3 is usual."""

ENDS_WITHIN = 1.0
"""Seconds that a process which closed its replies may take to end; then it is killed."""

TAIL = 8192
"""Bytes of its standard error that are held, to explain why it died."""

DELETED = "the folders that this was made in were deleted meanwhile"

PAGE = os.sysconf("SC_PAGE_SIZE")

STATM = 256
"""Bytes, more than the seven numbers in /proc/PID/statm take."""

log = logging.getLogger(__name__)


class EngineProcess:
    """Made by `start`. Not for two callers at once."""

    def __init__(self, child: Child, pipes: Pipes, settings: EngineSettings, workplace: Workplace) -> None:
        self._child = child
        self._pipes = pipes
        self._settings = settings
        self._workplace = workplace
        self._folders = _folders(settings, workplace)  # it is let into
        self._said = bytearray()
        self._listening = asyncio.ensure_future(self._listen())
        self.capabilities: dict[str, tuple[bool, bool]] = {}
        self.sandbox: dict[str, bool | str] = {}
        self.jobs = 0
        self._free_since = time.monotonic()  # infinite while it does a job

    @classmethod
    async def start(cls, settings: EngineSettings, forks: ForkServer) -> EngineProcess:
        """A process that can work. Raises Died when it does not come up within READY_WITHIN seconds, OSError."""
        try:
            async with asyncio.timeout(READY_WITHIN):
                process = await cls._forked(settings, forks)
                try:
                    ready = await process._read()
                except BaseException:
                    await process.kill()
                    raise
        except TimeoutError:
            raise Died(f"not ready within {READY_WITHIN:g} s") from None
        process.capabilities = {name: (can[0], can[1]) for name, can in ready["capabilities"].items()}
        process.sandbox = ready["sandbox"]
        return process

    @classmethod
    async def _forked(cls, settings: EngineSettings, forks: ForkServer) -> EngineProcess:
        settings.make_folders()
        workplace = Workplace(settings.writable, settings.readable)
        try:
            pipes = await Pipes.open(LINE)
            try:
                child = await forks.fork(_sandbox(settings, workplace), pipes)
            except BaseException:
                pipes.close()
                raise
        except BaseException:
            workplace.remove()
            raise
        return cls(child, pipes, settings, workplace)

    @property
    def pid(self) -> int:
        return self._child.pid

    @property
    def alive(self) -> bool:
        return self._child.returncode is None

    @property
    def idle(self) -> float:
        """Seconds since its last job, or since its start; 0 while it does one."""
        return max(0.0, time.monotonic() - self._free_since)

    @property
    def said(self) -> str:
        """The end of what it wrote to standard error."""
        return self._said.decode(errors="replace")

    async def ask(self, job: Job) -> Result | EngineError:
        """Have one job done, return what came of it. Raises Died; a process whose caller was cancelled is of no more
        use."""
        self.jobs += 1
        self._free_since = math.inf
        try:
            return await self._do(job)
        finally:
            self._free_since = time.monotonic()

    async def _do(self, job: Job) -> Result | EngineError:
        self._said.clear()
        try:
            async with self._workplace.lend(job) as lent:
                answer = await self._exchange(encode_job(lent))
                (result,) = identities(lent.output)
                if isinstance(answer, Result):
                    self._workplace.deliver(lent, job)
        except FileNotFoundError:
            return Removed(DELETED)
        except OSError as error:
            if self.is_displaced():
                return Removed(DELETED)
            log.error("the files of a job cannot be handed over: %s", error)
            return EngineError(IMPOSSIBLE)
        if job.output and result and result in self._opened():
            await self.kill()
            raise Died("it kept its result open")
        return answer

    async def _exchange(self, line: bytes) -> Result | EngineError:
        self._pipes.write(line)
        reply = await self._read()
        if "error" in reply and self.is_displaced():
            return Removed(DELETED)
        return outcome(reply)

    def _opened(self) -> Folders:
        """The files it has open. A result that is among them it could change and fill after that was published; it
        cannot open one again."""
        try:
            with os.scandir(f"/proc/{self.pid}/fd") as entries:
                return identities(*(entry.path for entry in entries))
        except OSError:
            return ()

    def is_displaced(self) -> bool:
        """Whether folders that it was let into were deleted since: those of the same name are closed to it. So is one
        that the disk did not take before and takes now."""
        if None in self._folders:
            self._workplace.make()
        return self._folders != _folders(self._settings, self._workplace)

    def resident(self) -> int:
        """Bytes of memory it holds now, 0 when it is gone. Asked after every job, so by the system calls themselves."""
        try:
            file = os.open(f"/proc/{self.pid}/statm", os.O_RDONLY | os.O_CLOEXEC)
            try:
                return int(os.read(file, STATM).split()[1]) * PAGE
            finally:
                os.close(file)
        except (OSError, IndexError):
            return 0

    async def wait(self) -> None:
        await self._child.wait()
        self._pipes.close()
        self._workplace.remove()

    async def kill(self) -> None:
        """End it, with all it may have started, and wait until it is gone."""
        if self.alive:
            for end in (os.killpg, os.kill):  # it has a group of its own, once it runs
                with contextlib.suppress(ProcessLookupError):
                    end(self.pid, signal.SIGKILL)
        await self.wait()
        await self._listening

    async def _read(self) -> dict[str, Any]:
        reply, whole = None, True
        try:
            line = await self._pipes.output.readline()
            whole = line.endswith(b"\n")
            reply = json.loads(line) if whole else None
        except ValueError:  # longer than a line may be, or not JSON
            pass
        if isinstance(reply, dict):
            return reply
        if not whole:
            await self._lethow_it_ended()
        ended = 0 if self.alive else max(0, -(self._child.returncode or 0))
        await self.kill()
        raise Died(f"{how_it_ended(self._child.returncode or 0, ended)}: {self.said.strip()[-500:]}", ended)

    async def _lethow_it_ended(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ENDS_WITHIN):
                await self._child.wait()

    async def _listen(self) -> None:
        while text := await self._pipes.errors.read(TAIL):
            self._said += text
            del self._said[:-TAIL]


def _folders(settings: EngineSettings, workplace: Workplace) -> Folders:
    """Where the paths lead now that a process of this workplace is let into."""
    return identities(*settings.readable, *workplace.originals, *workplace.results)


def _sandbox(settings: EngineSettings, workplace: Workplace) -> sandbox.Sandbox:
    readable = (settings.config_dir, *settings.readable, *workplace.originals)
    return sandbox.Sandbox(
        parent=os.getpid(),
        memory=settings.memory,
        seconds=settings.time,
        readable=tuple(str(path.absolute()) for path in readable),
        writable=tuple(map(str, workplace.results)),
        kill=os.environ.get(seccomp.VARIABLE) == seccomp.KILL,
    )
