"""Open the caches of a service, run their background tasks, and close them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gateway.settings import Config
from service.cache.crowds import Crowds
from service.cache.disk import DerivedTree
from service.cache.generation import Generation
from service.cache.janitor import Janitor
from service.cache.memory import Memory
from service.cache.reaper import Reaper
from service.cache.recency import records_access_times
from service.cache.usage import Budget
from service.cache.walk import background
from service.cache.work import Work, spare_folder
from service.derivatives.derivatives import Derivatives
from service.journal.journal import Journal, works_of
from service.maintenance.following import Following
from service.maintenance.leftovers import Leftovers
from service.maintenance.pace import Pace
from service.maintenance.questions import opened_questions
from service.maintenance.returning import Returning
from service.maintenance.revalidation import Revalidation
from service.maintenance.share import Share
from service.maintenance.unfinished import Unfinished
from service.originals.originals import Originals
from service.runtime.lock import exclusive
from service.runtime.paths import Paths, paths_of
from service.runtime.settled import Settled
from service.store.base import Store

PREDECESSOR = 5.0  # seconds for another process to let go of the caches
SYNC = 60.0  # seconds between two times at which the kernel is asked to write all it has
PAUSE = 30.0  # seconds after which a background task that failed begins again
FAILING = 600.0  # seconds for which a failure is shown: the next one comes within them where nothing has changed

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Disk:
    """What this process alone may change."""

    root: Path
    work: Work
    tree: DerivedTree
    memory: Memory
    reaper: Reaper


@dataclass(slots=True)
class Tasks:
    """The background tasks of the caches, and their state, for metrics and health."""

    disk: Disk
    originals: Originals
    derivatives: Derivatives
    derived_janitor: Janitor
    originals_janitor: Janitor
    revalidation: Revalidation
    leftovers: Leftovers
    crowds: Crowds
    journal: Journal
    access_times: bool
    failed: dict[str, float] = field(default_factory=dict)  # when a background task did last, monotonic, by its name

    @property
    def failing(self) -> list[str]:
        """The background tasks that failed lately, for an unexpected reason."""
        now = time.monotonic()
        return [task for task, when in self.failed.items() if now - when < FAILING]

    @property
    def janitors(self) -> tuple[Janitor, Janitor]:
        return self.derived_janitor, self.originals_janitor


@contextlib.contextmanager
def opened_disk(config: Config, paths: Paths) -> Iterator[Disk]:
    """The caches, locked, and rid of what a crash has left of unfinished work. Raises AlreadyRunning, OSError."""
    root = paths.work.parent
    with exclusive(root, "caches", option="cache.root", patience=PREDECESSOR):
        work = Work(paths.work, spare_folder(root))
        reaper = Reaper(work.clean())
        try:
            tree = DerivedTree(paths.derived, work, reaper.leave)
            yield Disk(root, work, tree, Memory(config.cache.memory), reaper)
        finally:
            work.close()


@contextlib.asynccontextmanager
async def running_tasks(
    config: Config,
    disk: Disk,
    store: Store,
    originals: Originals,
    derivatives: Derivatives,
    journal: Journal,
    made_by: str,
    settled: Settled,
) -> AsyncIterator[Tasks]:
    """Throw out what cannot be trusted, then count, evict, compare and sync while the context lasts. Raises OSError."""
    generation = Generation(disk.root, made_by)
    if generation.changed:
        disk.reaper.leave(await derivatives.forget_all())
    await asyncio.to_thread(generation.distrust, disk.tree.root, disk.tree.unproven.root, originals.root)
    generation.begin()
    executor = background()
    crowds = Crowds(config.cache.derived_per_image, disk.tree.evict)
    disk.tree.published = crowds.published
    questions = opened_questions(config.cache, store, originals, derivatives, journal)
    derivatives.used = questions.used.note
    tasks = Tasks(
        disk,
        originals,
        derivatives,
        Janitor(disk.tree, Budget.of(config.cache.derived), executor, crowds.counted),
        Janitor(originals, Budget.of(config.cache.originals), executor),
        Revalidation(
            store.originals, originals, derivatives, disk.tree, config.cache.revalidate, background(), questions
        ),
        leftovers_of(config, store, derivatives),
        crowds,
        journal,
        _looks_at_access_times(disk.work.folder),
    )
    following = Following(originals, derivatives, disk.tree, disk.reaper, executor, config.cache.journal_lag)
    reader = journal.reader(following.settle)
    returning = Returning(reader, originals, derivatives, disk.tree, disk.reaper)

    def make_room() -> None:
        """What is of unknown age goes first."""
        if not returning.make_room():
            tasks.derived_janitor.make_room()

    disk.work.on_full = make_room
    await returning.settle(settled)
    works: dict[str, Callable[[], Coroutine[Any, Any, None]]] = {
        "eviction of derived images": tasks.derived_janitor.run,
        "eviction of originals": tasks.originals_janitor.run,
        "number of derived images of one image": crowds.run,
        "comparison with the store": tasks.revalidation.run,
        "revalidation of what is used": questions.run,
        "cache of unknown age": lambda: returning.run(tasks.derived_janitor.budget, executor),
        "takedown": derivatives.takedowns.run,
        "comparison of derived images": tasks.leftovers.run,
        "sync": lambda: _sync(generation),
    }
    works |= works_of(journal, reader)
    if store.incoming:
        works = {**works, "removal of unfinished uploads": Unfinished(store.incoming).run}
    running = [asyncio.create_task(_forever(name, work, tasks.failed)) for name, work in works.items()]
    try:
        yield tasks
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        if reader:
            reader.save()
        executor.shutdown(wait=True, cancel_futures=True)
        with contextlib.suppress(OSError):
            await asyncio.to_thread(generation.sync, clean=True)


def leftovers_of(config: Config, store: Store, derivatives: Derivatives) -> Leftovers:
    """The walk through this node's share of the derived container."""
    share = Share.of(config.cache.sweep_share)
    takedowns, record = derivatives.takedowns, paths_of(config).walk
    containers = (store.originals, store.derived)
    return Leftovers(*containers, takedowns, record, store.now, share, Pace(share.count), counts=store.remote)


async def _sync(generation: Generation) -> None:
    while True:
        await asyncio.sleep(SYNC)
        with contextlib.suppress(OSError):  # the disk's trouble is logged by those that need it
            await asyncio.to_thread(generation.sync)


async def _forever(name: str, work: Callable[[], Coroutine[Any, Any, None]], failed: dict[str, float]) -> None:
    """A background task that should not end: when it does, that is logged, and a while later it begins again."""
    while True:
        try:
            await work()
        except OSError as error:  # of the disk or the store, which operators mend
            log.error("the caches' %s failed: %s; it begins again in %g s", name, error, PAUSE)
        except Exception:
            log.exception("the caches' %s failed; it begins again in %g s", name, PAUSE)
        failed[name] = time.monotonic()
        await asyncio.sleep(PAUSE)


def _looks_at_access_times(folder: Path) -> bool:
    try:
        recorded = records_access_times(folder)
    except OSError:
        return False
    if not recorded:
        log.info("this mount records no access times (noatime): nginx notes what it serves")
    return recorded
