"""Compose and run the service, one process on uvloop. All parts are put together here, and only here."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import signal
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import uvloop

from gateway.config import rules_of
from gateway.rules import Rules
from gateway.settings import Config
from service.api.app import api_app
from service.api.front import front_app
from service.api.http.connections import listening
from service.api.http.context import Context
from service.api.http.metrics import observe
from service.cache.tickets import Tickets
from service.cache.work import Work, spare_folder
from service.derivatives.derivatives import Derivatives, JobSettings
from service.derivatives.eager import Eager
from service.derivatives.job import persist_of
from service.derivatives.maker import Maker
from service.derivatives.stored import DerivedStore
from service.derivatives.warming import namer
from service.engine import file_pages
from service.engine.job import Limits
from service.engine.pool.pool import EnginePool
from service.engine.pool.settings import EngineSettings
from service.journal.journal import opened_journal
from service.maintenance.tasks import opened_disk, running_tasks
from service.metrics import Metrics
from service.observability.timings import TimedStats
from service.open_store import open_store
from service.originals import overlays
from service.originals.originals import Originals
from service.outbox.opening import opened_outbox
from service.runtime.allocation import give_back_large_blocks
from service.runtime.imagemagick import write_policy
from service.runtime.lock import AlreadyRunning, exclusive, is_held
from service.runtime.made_by import choices_of, engine_of, made_by
from service.runtime.memory import Memory
from service.runtime.naming import named
from service.runtime.paths import Paths, make_folders, paths_of
from service.runtime.rlimits import raise_limit
from service.runtime.settled import Settled
from service.runtime.sockets import sockets_of, was_handed
from service.runtime.versions import SOFTWARE, software
from service.store.base import Store
from service.store.errors import Unavailable
from service.store.metered import MeteredStore
from service.supervise import twins
from service.tracing.setup import traced
from service.uploads.direct import DirectUploads
from service.uploads.early import Early
from service.uploads.hook import Hook
from service.uploads.quota import Quota
from service.uploads.uploads import Uploads

SHUTDOWN = 30.0  # seconds that requests under way may take when the service stops
PREDECESSOR = 60.0  # seconds to wait for the service that this one follows; it may take SHUTDOWN, and then some
COLLECT = 10_000  # objects more than before from which on cycles are looked for; a miss makes some hundreds

log = logging.getLogger(__name__)


def serve(config: Config) -> None:
    """Run the service until SIGTERM or SIGINT. Raises OSError, TwinsDiffer, StoreError or EngineError where it cannot
    start."""
    raise_limit()
    give_back_large_blocks()
    make_folders(paths_of(config))
    twins.prove(config)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner, contextlib.suppress(asyncio.CancelledError):
        runner.run(_serve(config))


async def _serve(config: Config) -> None:
    stop, task = asyncio.Event(), asyncio.current_task()
    assert task is not None
    _on_signal(task.cancel)  # nothing is lost by a start that breaks off
    async with running(config):
        _on_signal(stop.set)
        with named(paths_of(config).service_pid):
            paths_of(config).service_pid.write_text(f"{os.getpid()}\n")  # which is how the supervisor knows
        file_pages.let_go()
        gc.freeze()  # what is there now stays: no collection looks through it again
        gc.set_threshold(COLLECT)
        log.info("ready: the API listens on %s", config.api.listen)
        await stop.wait()
        log.info("stopping")


def _on_signal(stop: Callable[[], object]) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop)


async def _start(store: Store, *, strict: bool) -> None:
    """Start the store; one that cannot be reached now is used as soon as it can be, unless this is `strict`. Raises
    StoreError for a store that is configured wrongly."""
    try:
        await store.start()
    except Unavailable as error:
        if strict:
            raise
        log.error("the store cannot be reached yet: %s", error)


@contextlib.asynccontextmanager
async def running(config: Config, patience: float = PREDECESSOR, *, strict: bool = True) -> AsyncIterator[Context]:
    """The whole service, listening; it is gone without a trace when the context ends.

    With sockets that were handed over it waits up to `patience` seconds for its predecessor to end, and a store that
    cannot be reached stops it while the predecessor runs, if `strict`.
    """
    paths = paths_of(config)
    make_folders(paths)
    async with contextlib.AsyncExitStack() as stack:
        inner = open_store(config)  # not started yet
        traces = traced(config, remote_store=inner.remote)
        tracing = await stack.enter_async_context(traces)  # the first: its end waits, and must hold up nothing else
        store = MeteredStore(inner, tracing.store_call)
        stack.push_async_callback(store.close)
        settled = Settled(paths.service_settled)
        async with settled.waiting():
            # One that serves now may reach its store.
            await _start(store, strict=strict and is_held(paths.runtime, "service"))
        versions = await software(Memory(paths.runtime / SOFTWARE))
        if was_handed():  # all that can be done beside a predecessor is done, and it may go
            with named(paths.service_prepared):
                paths.service_prepared.write_text(f"{os.getpid()}\n")
        await _alone(paths, stack, patience if was_handed() else 0.0)
        sockets = stack.enter_context(sockets_of(config, paths))
        context = await _put_together(config, paths, store, versions, stack, settled)
        known = Metrics(context.engine, context.tasks, store, context.outbox, context.uploads)
        for port, app, listen in (
            ("api", api_app(context), sockets.api),
            ("public", front_app(context), sockets.front),
        ):
            tracing.follow(app, port)
            observe(app, port, config.log.slow, known)
            await stack.enter_async_context(listening(app, listen, SHUTDOWN))
        stack.enter_context(context.tasks.disk.reaper.working())  # the last: it hinders no start, and ends before all
        yield context


async def _alone(paths: Paths, stack: contextlib.AsyncExitStack, patience: float) -> None:
    """Be the only service in this runtime folder, after so many seconds at most. Raises AlreadyRunning."""
    end = time.monotonic() + patience
    while True:
        try:
            stack.enter_context(exclusive(paths.runtime, "service"))
            return
        except AlreadyRunning:
            if time.monotonic() >= end:
                raise
        await asyncio.sleep(0.02)


async def _put_together(
    config: Config, paths: Paths, store: Store, versions: str, stack: contextlib.AsyncExitStack, settled: Settled
) -> Context:
    disk = stack.enter_context(opened_disk(config, paths))
    engine = EnginePool(_engine_settings(config, paths, disk.work), TimedStats())
    await engine.start()
    stack.push_async_callback(engine.close)

    writable = {word for word, (_, can_write) in engine.capabilities.items() if can_write}
    rules = replace(rules_of(config, writable), ladder=())  # which is the public port's own
    if config.overlays:
        await overlays.prepared(config, paths, engine, disk.work)
    job_settings = _job_settings(config, rules, versions, remote_store=store.remote)
    originals = Originals(store.originals, paths.originals, disk.work, config.cache.revalidate)
    tickets = Tickets()
    stored = DerivedStore(store.derived, job_settings.engine, job_settings.software, tickets, disk.work)
    making = rules.of_api  # names have been read by then, and bear what they must
    maker = Maker(making, job_settings, originals, disk.tree, disk.work, stored, tickets, engine)
    derivatives = Derivatives(making, job_settings, originals, disk.tree, disk.memory, stored, tickets, engine, maker)
    originals.on_change(derivatives.settle)
    stack.push_async_callback(derivatives.close)
    journal = opened_journal(store, paths.journal, disk.work, config.cache)
    tasks = await stack.enter_async_context(
        running_tasks(config, disk, store, originals, derivatives, journal, made_by(config, rules, versions), settled)
    )
    outbox = await stack.enter_async_context(opened_outbox(config, store, disk.work, paths.runtime))
    limits = config.limits
    quota = Quota(store.originals, limits.store_bytes, limits.store_images, remote=store.remote)
    eager = Eager(derivatives, engine, namer(config.eager_presets, rules) if config.eager_presets else None)
    await stack.enter_async_context(eager.running())
    hook = Hook(config.intake.hook, engine, job_settings, disk.work) if config.intake.hook.url else None
    if hook:
        stack.push_async_callback(hook.close)
    parts = (store.originals, originals, derivatives, engine, job_settings, disk.work, limits.upload, journal)
    uploads = Uploads(*parts, outbox, quota, Early(originals, quota, remote=store.remote), eager, hook)
    direct = DirectUploads(store.incoming, uploads, originals, config.intake.lifetime, limits.upload)
    return Context(config, rules, store, originals, derivatives, uploads, engine, tasks, outbox, direct)


def _engine_settings(config: Config, paths: Paths, work: Work) -> EngineSettings:
    write_policy(config, paths.policy)
    processes = config.engine.processes
    spare = spare_folder(paths.engine) if work.spare else None  # beside that of `work`, for results to be renamed to
    return EngineSettings(
        processes=len(os.sched_getaffinity(0)) if processes == "auto" else processes,
        memory=config.engine.memory,
        recycle=config.engine.recycle,
        time=config.limits.time,
        queue=config.limits.queue,
        config_dir=paths.policy,
        readable=(paths.originals, *((paths.overlays,) if config.overlays else ())),
        writable=(paths.engine, *filter(None, (spare,))),
    )


def _job_settings(config: Config, rules: Rules, versions: str, *, remote_store: bool) -> JobSettings:
    """What all derived images have in common."""
    limits = config.limits
    return JobSettings(
        accept=tuple(config.formats.accept),
        limits=Limits(limits.pixels, limits.frames, limits.width, limits.height, limits.time),
        keep=tuple(config.metadata.keep),
        fields=tuple(config.metadata.fields),
        tolerant=config.formats.tolerate_truncated,
        persist=persist_of(config, remote_store=remote_store),
        library=config.engine.library,
        engine=engine_of(config, rules, versions),
        gamut=config.formats.gamut,
        effort=config.formats.effort.model_dump(),
        overlays=overlays.drawn(config, paths_of(config)) if config.overlays else {},
        software=f"{choices_of(config)}; {versions}",
    )
