"""The service as an application for Gunicorn with aiohttp's worker; `deploy/gunicorn/gunicorn.conf.py` starts it.

Gunicorn's master binds both sockets and owns them. The worker serves them as `image-gateway serve` does, with the same
bounds on connections; so the application that aiohttp's worker runs has no routes, and only ties the service's start
and end to the worker's.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from aiohttp import web

from gateway.config import ConfigError
from service import logs
from service.cli import read_config
from service.cli_options import plainly
from service.descriptors import raise_limit
from service.engine.job import EngineError
from service.gunicorn_master import BEFORE
from service.lock import AlreadyRunning
from service.server import PREDECESSOR, running
from service.sockets import HANDED
from service.store.base import StoreError

CANNOT_START = 3  # the exit status by which a worker has Gunicorn stop; Arbiter.WORKER_BOOT_ERROR
KILLED_BY = 3.0  # seconds within which Gunicorn has ended a worker that drained for longer than its timeout
LOOK = 0.1  # seconds between two looks whether the worker is to stop while it starts

log = logging.getLogger(__name__)


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
    app = web.Application()
    app.cleanup_ctx.append(_service)
    return app


async def _service(_app: web.Application) -> AsyncIterator[None]:
    taken = _taken[0]
    raise_limit()
    async with AsyncExitStack() as stack:
        await _unless_stopped(taken, stack)
        yield
        log.info("stopping")


async def _unless_stopped(taken: _Taken, stack: AsyncExitStack) -> None:
    """Start the service; a worker that is told to stop meanwhile ends at once."""
    starting = asyncio.ensure_future(_start(taken, stack))
    while not starting.done():
        if not taken.worker.alive:
            starting.cancel()
        await asyncio.wait({starting}, timeout=LOOK)
    if starting.cancelled():
        raise SystemExit(0)
    failure = starting.result()
    if failure:
        for line in failure.splitlines():
            log.error("cannot start: %s", line)
        raise SystemExit(CANNOT_START)


async def _start(taken: _Taken, stack: AsyncExitStack) -> str:
    """Start the service with the accepted configuration; where that fails in a reload, with the one before. Returns
    why neither works, or nothing."""
    before = taken.accepted.with_name(BEFORE)
    failure = await _try(taken, taken.accepted, stack, strict=True)
    if not failure:
        before.unlink(missing_ok=True)
        return ""
    if not before.exists():
        return failure
    for line in failure.splitlines():
        log.error("not reloaded: %s", line)
    failure = await _try(taken, before, stack, strict=False)
    if not failure:
        before.replace(taken.accepted)
    return failure


async def _try(taken: _Taken, file: Path, stack: AsyncExitStack, *, strict: bool) -> str:
    """Start the service with the configuration in `file`. Returns why that fails, or nothing."""
    try:
        config, _ = read_config(file, taken.base)
        logs.configure(config.log)
        # Copies: a start that fails closes its sockets.
        os.environ[HANDED] = f"{os.dup(taken.api)},{os.dup(taken.front)}"
        await stack.enter_async_context(running(config, taken.patience, strict=strict))
    except OSError as error:
        return plainly(error)
    except (ConfigError, StoreError, EngineError, AlreadyRunning) as error:
        return str(error) or type(error).__name__
    with suppress(OSError):
        for number in (taken.api, taken.front):
            os.close(number)
    log.info("ready: the API listens on %s", config.api.listen)
    return ""
