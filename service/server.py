"""The service: one process on uvloop that moves data and decides. Everything is put together here, and only here."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import os
import signal
from collections.abc import AsyncIterator
from importlib import metadata
from pathlib import Path

import uvloop
from aiohttp import web

from gateway.config import rules_of
from gateway.rules import Rules
from gateway.settings import Config
from gateway.units import split_listen
from service.api.app import api_app
from service.api.context import Context
from service.api.front import front_app
from service.cache.disk import DerivedTree
from service.derivatives import Derivatives, Making
from service.engine.job import Limits
from service.engine.pool import EnginePool, EngineSettings
from service.lock import exclusive
from service.machine import write_policy
from service.originals import Originals
from service.paths import Paths, make_folders, paths_of
from service.stores import open_store
from service.uploads import Uploads

LONGEST_LINE = 64 * 1024  # bytes of a request line or header; what is too long is then told by the contract
SHUTDOWN = 30.0  # seconds that requests under way may take when the service stops

log = logging.getLogger(__name__)


def serve(config: Config) -> None:
    """Run the service until SIGTERM or SIGINT. Raises OSError, StoreError or EngineError where it cannot start."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(config))


async def _serve(config: Config) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with running(config):
        log.info("ready: the API listens on %s", config.api.listen)
        await stop.wait()
        log.info("stopping")


@contextlib.asynccontextmanager
async def running(config: Config) -> AsyncIterator[Context]:
    """The whole service, listening; it is gone without a trace when the context ends."""
    paths = paths_of(config)
    make_folders(paths)
    async with contextlib.AsyncExitStack() as stack:
        stack.enter_context(exclusive(paths.runtime, "service"))
        context = await _put_together(config, paths, stack)
        for app, listen in ((api_app(context), config.api.listen), (front_app(context), paths.socket)):
            await _listen(app, listen, stack)
        yield context


async def _put_together(config: Config, paths: Paths, stack: contextlib.AsyncExitStack) -> Context:
    tree = DerivedTree(paths.derived, paths.work)
    tree.clean()
    store = open_store(config)
    await store.start()
    stack.push_async_callback(store.close)
    engine = EnginePool(_engine_settings(config, paths))
    await engine.start()
    stack.push_async_callback(engine.close)

    writable = {word for word, (_, can_write) in engine.capabilities.items() if can_write}
    rules = rules_of(config, writable)
    making = _making(config, rules)
    originals = Originals(store.originals, paths.originals, paths.work, config.cache.revalidate)
    derivatives = Derivatives(rules, making, originals, tree, store.derived, engine)
    stack.push_async_callback(derivatives.close)
    uploads = Uploads(store.originals, originals, derivatives, engine, making, paths.work, config.limits.upload)
    return Context(config, rules, store, originals, derivatives, uploads, engine)


async def _listen(app: web.Application, listen: str | Path, stack: contextlib.AsyncExitStack) -> None:
    runner = web.AppRunner(
        app,
        access_log=None,
        handler_cancellation=True,
        shutdown_timeout=SHUTDOWN,
        max_line_size=LONGEST_LINE,
        max_field_size=LONGEST_LINE,
    )
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    if isinstance(listen, Path):
        await asyncio.to_thread(listen.unlink, missing_ok=True)
        await web.UnixSite(runner, str(listen)).start()
        return
    host, port = split_listen(listen)
    await web.TCPSite(runner, host, port, reuse_port=False).start()


def _engine_settings(config: Config, paths: Paths) -> EngineSettings:
    write_policy(config)
    processes = config.engine.processes
    return EngineSettings(
        processes=len(os.sched_getaffinity(0)) if processes == "auto" else processes,
        memory=config.engine.memory,
        recycle=config.engine.recycle,
        time=config.limits.time,
        queue=config.limits.queue,
        config_dir=paths.policy,
        readable=(paths.originals, paths.work),
        writable=(paths.work,),
    )


def _making(config: Config, rules: Rules) -> Making:
    """What all derived images have in common; its `engine` changes with whatever changes their bytes."""
    parts = (metadata.version("image-gateway"), str(sorted(rules.quality.items())), str(config.metadata.fields))
    return Making(
        accept=tuple(config.formats.accept),
        limits=Limits(config.limits.pixels, config.limits.frames, config.limits.width, config.limits.height),
        keep=tuple(config.metadata.keep),
        fields=tuple(config.metadata.fields),
        persist=config.cache.persist,
        engine=hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16],
    )
