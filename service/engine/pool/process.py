"""One engine process, seen from the service: started, asked, ended."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import signal
import sys
from typing import Any

from service.engine.environment import environment
from service.engine.job import EngineError, Job, Removed, Result
from service.engine.pool import worker
from service.engine.pool.settings import EngineSettings, Folders, identities
from service.engine.pool.worker import encode_job
from service.engine.pool.workplace import Workplace
from service.engine.sandbox import sandbox, seccomp

READY_WITHIN = 30.0
"""Seconds a new process may take until it says that it can work; about 0.3 is usual."""

ENDS_WITHIN = 1.0
"""Seconds that a process which closed its replies may take to end; then it is killed."""

FROM_OUTSIDE = frozenset(
    {signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2}
)
"""Signals that no image causes: somebody sends them, or the kernel for want of memory (SIGKILL). What a decoder gets
for a mistake (SIGSEGV, SIGABRT), a forbidden system call (SIGSYS) or a limit (SIGXCPU) is not among them."""

TAIL = 8192
"""Bytes of its standard error that are held, to explain why it died."""

IMPOSSIBLE = "the image could not be made"
DELETED = "the folders that this was made in were deleted meanwhile"

PAGE = os.sysconf("SC_PAGE_SIZE")

_REPORTED: dict[str, type[EngineError]] = {error.code: error for error in (EngineError, Removed)}
_REPORTED.update({error.code: error for error in EngineError.__subclasses__()})

log = logging.getLogger(__name__)


class Died(Exception):
    """The process ended, by `signal` or 0 for none, or broke the protocol and was ended. The text is for a log."""

    def __init__(self, text: str, signal: int = 0) -> None:
        super().__init__(text)
        self.signal = signal

    @property
    def from_outside(self) -> bool:
        """Whether somebody else ended it."""
        return self.signal in FROM_OUTSIDE


class EngineProcess:
    """Made by `start`. Not for two callers at once."""

    def __init__(self, process: asyncio.subprocess.Process, settings: EngineSettings, workplace: Workplace) -> None:
        self._process = process
        self._settings = settings
        self._workplace = workplace
        self._folders = _folders(settings, workplace)  # it is let into
        self._said = bytearray()
        self._listening = asyncio.ensure_future(self._listen())
        self.capabilities: dict[str, tuple[bool, bool]] = {}
        self.sandbox: dict[str, bool | str] = {}
        self.jobs = 0

    @classmethod
    async def start(cls, settings: EngineSettings) -> EngineProcess:
        """A process that can work. Raises Died when it does not come up within READY_WITHIN seconds, OSError."""
        settings.make_folders()
        workplace = Workplace(settings.writable, settings.readable)
        bounds = _sandbox(settings, workplace).to_json()
        try:
            started = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", "service.engine.pool.worker", settings.module, bounds),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env=environment(settings.config_dir.absolute()),
                limit=worker.LINE,
            )
        except BaseException:
            workplace.remove()
            raise
        process = cls(started, settings, workplace)
        try:
            async with asyncio.timeout(READY_WITHIN):
                ready = await process._read()
        except TimeoutError:
            await process.kill()
            raise Died(f"not ready within {READY_WITHIN:g} s") from None
        except BaseException:
            await process.kill()
            raise
        process.capabilities = {name: (can[0], can[1]) for name, can in ready["capabilities"].items()}
        process.sandbox = ready["sandbox"]
        return process

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.returncode is None

    @property
    def said(self) -> str:
        """The end of what it wrote to standard error."""
        return self._said.decode(errors="replace")

    async def ask(self, job: Job) -> Result | EngineError:
        """Have one job done, return what came of it. Raises Died; a process whose caller was cancelled is of no more
        use."""
        self.jobs += 1
        self._said.clear()
        try:
            async with self._workplace.lend(job) as lent:
                outcome = await self._exchange(encode_job(lent))
                (result,) = identities(lent.output)
                if isinstance(outcome, Result):
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
        return outcome

    async def _exchange(self, line: bytes) -> Result | EngineError:
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it ended: reading tells
            self._process.stdin.write(line)
            await self._process.stdin.drain()
        reply = await self._read()
        if "error" in reply and self.is_displaced():
            return Removed(DELETED)
        return _outcome(reply)

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
        """Bytes of memory it holds now, 0 when it is gone."""
        try:
            with open(f"/proc/{self.pid}/statm", "rb", buffering=0) as file:  # noqa: PTH123  # after every job
                return int(file.read().split()[1]) * PAGE
        except (OSError, IndexError):
            return 0

    async def wait(self) -> None:
        await self._process.wait()
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
        assert self._process.stdout is not None
        reply, whole = None, True
        try:
            line = await self._process.stdout.readline()
            whole = line.endswith(b"\n")
            reply = json.loads(line) if whole else None
        except ValueError:  # longer than a line may be, or not JSON
            pass
        if isinstance(reply, dict):
            return reply
        if not whole:
            await self._let_end()
        ended = 0 if self.alive else max(0, -(self._process.returncode or 0))
        await self.kill()
        raise Died(f"{_end(self._process.returncode or 0, ended)}: {self.said.strip()[-500:]}", ended)

    async def _let_end(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ENDS_WITHIN):
                await self._process.wait()

    async def _listen(self) -> None:
        assert self._process.stderr is not None
        while text := await self._process.stderr.read(TAIL):
            self._said += text
            del self._said[:-TAIL]


def _end(status: int, by: int) -> str:
    """How a process ended, for the log; `by` is the signal that it ended by itself or by others, 0 for ours or none."""
    if not by:
        return f"exit status {status}"
    name = signal.Signals(by).name
    if by in FROM_OUTSIDE:
        return f"{name} from outside" + (", or by the kernel for want of memory" if by == signal.SIGKILL else "")
    return name + (" for a forbidden system call" if by == signal.SIGSYS else "")


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


def _outcome(reply: dict[str, Any]) -> Result | EngineError:
    """What a reply says. Raises Died for what no process of ours would say."""
    try:
        if "result" in reply:
            return Result(**{**reply["result"], "flaws": tuple(reply["result"].get("flaws", ()))})
        code, detail = reply["error"], reply["detail"]
    except (KeyError, TypeError) as error:
        raise Died("it spoke nonsense") from error
    if code in _REPORTED:
        return _REPORTED[code](detail)
    log.error("the engine failed: %s", detail)
    return EngineError(IMPOSSIBLE)
