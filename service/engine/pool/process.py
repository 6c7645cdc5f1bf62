"""One engine process, seen from the service: started, asked, ended."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import signal
import sys
from pathlib import Path
from typing import Any

from service.engine.environment import environment
from service.engine.job import EngineError, Removed, Result
from service.engine.pool import worker
from service.engine.pool.settings import EngineSettings, Folders
from service.engine.sandbox import sandbox

READY_WITHIN = 30.0
"""Seconds a new process may take until it says that it can work; about 0.3 is usual."""

TAIL = 8192
"""Bytes of its standard error that are held, to explain why it died."""

PAGE = os.sysconf("SC_PAGE_SIZE")

_REPORTED: dict[str, type[EngineError]] = {error.code: error for error in (EngineError, Removed)}
_REPORTED.update({error.code: error for error in EngineError.__subclasses__()})

log = logging.getLogger(__name__)


class Died(Exception):
    """The process ended, or broke the protocol and was ended. The text is for a log."""


class EngineProcess:
    """Made by `start`. Not for two callers at once."""

    def __init__(self, process: asyncio.subprocess.Process, settings: EngineSettings, folders: Folders) -> None:
        self._process = process
        self._settings = settings
        self._folders = folders  # it was let into
        self._said = bytearray()
        self._listening = asyncio.ensure_future(self._listen())
        self.capabilities: dict[str, tuple[bool, bool]] = {}
        self.sandbox: dict[str, bool | str] = {}
        self.jobs = 0

    @classmethod
    async def start(cls, settings: EngineSettings) -> EngineProcess:
        """A process that can work. Raises Died when it does not come up within READY_WITHIN seconds."""
        settings.make_folders()
        folders = settings.folders()  # before it is let into them: a change meanwhile is noticed
        started = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "service.engine.pool.worker", settings.module, _sandbox(settings).to_json()),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=environment(settings.config_dir.absolute()),
            limit=worker.LINE,
            start_new_session=True,
        )
        process = cls(started, settings, folders)
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
    def exit_signal(self) -> int:
        """The signal that ended it, 0 when it runs or ended by itself."""
        return max(0, -(self._process.returncode or 0))

    @property
    def said(self) -> str:
        """The end of what it wrote to standard error."""
        return self._said.decode(errors="replace")

    async def ask(self, line: bytes) -> Result | EngineError:
        """Send one job, return what came of it. Raises Died; after a cancellation the process is of no more use."""
        self.jobs += 1
        assert self._process.stdin is not None
        self._said.clear()
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it ended: reading tells
            self._process.stdin.write(line)
            await self._process.stdin.drain()
        reply = await self._read()
        if "error" in reply and self.is_displaced():
            return Removed("the folders that this was made in were deleted meanwhile")
        return _outcome(reply)

    def is_displaced(self) -> bool:
        """Whether folders that it was let into were deleted since: those of the same name are closed to it."""
        return self._folders != self._settings.folders()

    def resident(self) -> int:
        """Bytes of memory it holds now, 0 when it is gone."""
        try:
            return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * PAGE
        except (OSError, IndexError):
            return 0

    async def wait(self) -> None:
        await self._process.wait()

    async def kill(self) -> None:
        """End it, with all it may have started, and wait until it is gone."""
        if self.alive:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
        await self._process.wait()
        await self._listening

    async def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        try:
            line = await self._process.stdout.readline()
            reply = json.loads(line) if line.endswith(b"\n") else None
        except ValueError:  # longer than a line may be, or not JSON
            reply = None
        if isinstance(reply, dict):
            return reply
        await self.kill()
        raise Died(f"exit status {self._process.returncode}: {self.said.strip()[-500:]}")

    async def _listen(self) -> None:
        assert self._process.stderr is not None
        while text := await self._process.stderr.read(TAIL):
            self._said += text
            del self._said[:-TAIL]


def _sandbox(settings: EngineSettings) -> sandbox.Sandbox:
    return sandbox.Sandbox(
        parent=os.getpid(),
        memory=settings.memory,
        seconds=settings.time,
        readable=tuple(str(path.absolute()) for path in (settings.config_dir, *settings.readable)),
        writable=tuple(str(path.absolute()) for path in settings.writable),
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
    return EngineError("the image could not be made")
