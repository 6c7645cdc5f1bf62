"""The fork server, seen from the service: it is started, started again when it ends, and asked for processes."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import signal
import socket
import sys
from typing import Any

from service.engine.environment import environment
from service.engine.pool.child import Child, Pipes, adopt_orphans
from service.engine.pool.ending import Died, how_it_ended
from service.engine.pool.messages import PACKET
from service.engine.pool.settings import EngineSettings
from service.engine.sandbox.sandbox import Sandbox

TAIL = 8192
"""Bytes of its standard error that are held, to explain why it ended."""

log = logging.getLogger(__name__)


class ForkServer:
    """`fork` processes, `close` it; all on one event loop, in its main thread."""

    def __init__(self, settings: EngineSettings) -> None:
        self._settings = settings
        self._server: _Server | None = None
        self._turn = asyncio.Lock()  # held by who starts or asks it
        self._watchers: set[asyncio.Task[None]] = set()

    @property
    def pid(self) -> int | None:
        """The id of the fork server, None while there is none."""
        return self._server.process.pid if self._server and self._server.runs else None

    async def fork(self, bounds: Sandbox, pipes: Pipes) -> Child:
        """Return a new engine process that has the other ends of these pipes. Raises Died, OSError."""
        async with self._turn:
            if not self._server or not self._server.runs:
                await self._start()
            assert self._server is not None
            return await self._server.fork(bounds, pipes)

    async def close(self) -> None:
        """End it. The processes that were forked go on."""
        for watcher in self._watchers:
            watcher.cancel()
        await asyncio.gather(*self._watchers, return_exceptions=True)
        async with self._turn:
            if self._server:
                await self._server.kill()

    async def _start(self) -> None:
        self._server = await _Server.start(self._settings)
        watcher = asyncio.ensure_future(self._watch(self._server))
        self._watchers.add(watcher)
        watcher.add_done_callback(self._watchers.discard)

    async def _watch(self, server: _Server) -> None:
        """Start another when it ends. Where that fails, it is tried again when the next process is needed."""
        status = await server.process.wait()
        log.warning("the process that engine processes are forked from ended: %s", how_it_ended(status, -status))
        async with self._turn:
            if self._server is server:
                try:
                    await self._start()
                except (Died, OSError) as error:
                    log.error("the process that engine processes are forked from cannot be started: %s", error)


class _Server:
    """A fork server that is ready. Made by `start`."""

    def __init__(self, process: asyncio.subprocess.Process, control: socket.socket) -> None:
        self.process = process
        self._control = control
        self._said = bytearray()
        self._listening = asyncio.ensure_future(self._listen())

    @classmethod
    async def start(cls, settings: EngineSettings) -> _Server:
        """Return one that can fork. Raises Died when it does not come up, OSError."""
        control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        control.setblocking(False)
        try:
            with theirs:
                process = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-P", "-m", "service.engine.pool.fork_server"),
                    *(settings.module, str(os.getpid())),
                    stdin=theirs.fileno(),
                    stdout=asyncio.subprocess.DEVNULL,
                    stderr=asyncio.subprocess.PIPE,
                    env=environment(settings.config_dir.absolute()),
                )
        except BaseException:
            control.close()
            raise
        server = cls(process, control)
        try:
            await server._receive()
        except BaseException:
            await server.kill()
            raise
        return server

    @property
    def runs(self) -> bool:
        return self.process.returncode is None

    async def fork(self, bounds: Sandbox, pipes: Pipes) -> Child:
        """As `ForkServer.fork`. One that does not answer until its caller is cancelled is ended."""
        adopt_orphans()
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it has ended: receiving tells
            socket.send_fds(self._control, [bounds.to_json().encode()], pipes.theirs)
        pipes.hand_over()
        answering = asyncio.ensure_future(self._receive())
        try:
            answer = await asyncio.shield(answering)
        except asyncio.CancelledError:
            self.process.kill()
            await asyncio.gather(answering, return_exceptions=True)
            if not answering.exception() and "pid" in answering.result():
                await _end(Child(answering.result()["pid"]))
            raise
        if "pid" not in answer:
            raise Died(answer["error"])
        return Child(answer["pid"])

    async def kill(self) -> None:
        """End it, and wait until it is gone."""
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        await self.process.wait()
        await self._listening
        self._control.close()

    async def _receive(self) -> dict[str, Any]:
        packet = b""
        with contextlib.suppress(ConnectionResetError):  # it ended before it read what it was asked
            packet = await asyncio.get_running_loop().sock_recv(self._control, PACKET)
        if packet:
            return dict(json.loads(packet))
        status = await self.process.wait()
        await self._listening
        said = self._said.decode(errors="replace").strip()[-500:]
        raise Died(f"{how_it_ended(status, max(0, -status))}: {said}", max(0, -status))

    async def _listen(self) -> None:
        assert self.process.stderr is not None
        while text := await self.process.stderr.read(TAIL):
            self._said += text
            del self._said[:-TAIL]


async def _end(child: Child) -> None:
    os.kill(child.pid, signal.SIGKILL)
    await child.wait()
