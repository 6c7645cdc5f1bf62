"""The service as an application for Gunicorn with aiohttp's worker; `deploy/gunicorn/gunicorn.conf.py` starts it.

Gunicorn's master binds both sockets and owns them. The worker serves them as `image-gateway serve` does, with the same
bounds on connections; so the application that aiohttp's worker runs has no routes, and only ties the service's start
and end to the worker's.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from aiohttp import web

from gateway.config import ConfigError
from gateway.settings import Config
from service.app import PREDECESSOR, running
from service.engine.job import EngineError
from service.observability import logs
from service.runtime.allocation import give_back_large_blocks
from service.runtime.configuration import read_config
from service.runtime.lock import AlreadyRunning
from service.runtime.naming import plainly
from service.runtime.paths import Paths, paths_of
from service.runtime.rlimits import raise_limit
from service.runtime.sockets import HANDED
from service.store.errors import StoreError
from service.supervise.gunicorn_master import BEFORE
from service.supervise.program import wrote_its_pid

CANNOT_START = 3  # the exit status by which a worker has Gunicorn stop; Arbiter.WORKER_BOOT_ERROR
KILLED_BY = 3.0  # seconds within which Gunicorn has ended a worker that drained for longer than its timeout
LOOK = 0.1  # seconds between two looks whether the worker is to stop while it starts

PREPARE = 10.0  # seconds that the new worker of a reload may take until it is prepared

log = logging.getLogger(__name__)


class _CannotStartError(Exception):
    """The service does not start; the text says why, a line for each reason."""

    def report(self, what: str) -> None:
        for line in str(self).splitlines():
            log.error("%s: %s", what, line)


class Worker(Protocol):
    """What of gunicorn.workers.base.Worker is used here."""

    alive: bool
    sockets: list[Any]
    cfg: Any


@dataclass(frozen=True, slots=True)
class _Taken:
    worker: Worker
    api: int
    front: int
    accepted: Path
    base: Path

    @property
    def patience(self) -> float:
        """The seconds to wait for the lock of a predecessor, which Gunicorn lets drain for its timeout."""
        timeout = self.worker.cfg.timeout
        return timeout + KILLED_BY if timeout else PREDECESSOR


_taken: list[_Taken] = []  # one at most: what `take` has for `application`, in the worker's process


def take(worker: Worker, accepted: str, base: str) -> None:
    """Take the worker's sockets for the service, so that aiohttp opens no site on them, and note the accepted
    configuration. Raises RuntimeError where Gunicorn listens elsewhere than configured."""
    api = [one for one in worker.sockets if one.family != socket.AF_UNIX]
    front = [one for one in worker.sockets if one.family == socket.AF_UNIX]
    if len(api) != 1 or len(front) != 1:
        names = ", ".join(map(str, worker.sockets))
        raise RuntimeError(
            f"Gunicorn listens at {names}; it must listen at api.listen and the unix socket in runtime.root, "
            "as gunicorn.conf.py has it: leave out --bind"
        )
    worker.sockets = []
    _taken[:] = [_Taken(worker, api[0].sock.detach(), front[0].sock.detach(), Path(accepted), Path(base))]


async def application() -> web.Application:
    """What Gunicorn runs. Raises RuntimeError without the configuration in deploy/gunicorn."""
    if not _taken:
        raise RuntimeError("start Gunicorn with -c deploy/gunicorn/gunicorn.conf.py: it hands over the sockets")
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM, signal.SIGQUIT, signal.SIGINT})  # the loop runs now
    app = web.Application()
    app.cleanup_ctx.append(_service)
    return app


async def _service(_app: web.Application) -> AsyncIterator[None]:
    taken = _taken[0]
    raise_limit()
    give_back_large_blocks()
    async with AsyncExitStack() as stack:
        config = await _unless_stopped(taken.worker, _start(taken, stack))
        log.info("ready: the API listens on %s", config.api.listen)
        yield
        await _until_followed(taken, paths_of(config))
        log.info("stopping")


async def _unless_stopped(worker: Worker, start: Coroutine[Any, Any, Config]) -> Config:
    """Start the service; a worker that receives a stop meanwhile ends at once."""
    starting = asyncio.ensure_future(start)
    while not starting.done():
        if not worker.alive:
            starting.cancel()
        await asyncio.wait({starting}, timeout=LOOK)
    try:
        return starting.result()
    except asyncio.CancelledError:
        raise SystemExit(0) from None
    except _CannotStartError as error:
        error.report("cannot start")
        raise SystemExit(CANNOT_START) from None


async def _start(taken: _Taken, stack: AsyncExitStack) -> Config:
    """Start the service with the accepted configuration; where that fails in a reload, with the one before. Raises
    _CannotStartError."""
    before = taken.accepted.with_name(BEFORE)
    try:
        config = await _try(taken, taken.accepted, stack, strict=True)
    except _CannotStartError as error:
        if not before.exists():
            raise
        error.report("not reloaded")
    else:
        before.unlink(missing_ok=True)
        return config
    config = await _try(taken, before, stack, strict=False)
    before.replace(taken.accepted)
    return config


async def _try(taken: _Taken, file: Path, stack: AsyncExitStack, *, strict: bool) -> Config:
    """Start the service with the configuration in `file`. Raises _CannotStartError."""
    try:
        config, _ = read_config(file, taken.base)
        logs.configure(config.log)
        os.environ[HANDED] = f"{os.dup(taken.api)},{os.dup(taken.front)}"  # a start that fails closes its sockets
        await stack.enter_async_context(running(config, taken.patience, strict=strict))
    except OSError as error:
        raise _CannotStartError(plainly(error)) from error
    except (ConfigError, StoreError, EngineError, AlreadyRunning) as error:
        raise _CannotStartError(str(error) or type(error).__name__) from error
    os.close(taken.api)
    os.close(taken.front)
    return config


async def _until_followed(taken: _Taken, paths: Paths) -> None:
    """In a reload, serve on until the new worker has prepared what it can beside this one. Gunicorn's master removes
    the unix socket when it stops: then no worker follows."""
    end = time.monotonic() + PREPARE
    while time.monotonic() < end and taken.accepted.with_name(BEFORE).exists() and paths.socket.exists():
        if not wrote_its_pid(os.getpid(), paths.service_prepared):
            return
        await asyncio.sleep(LOOK)
