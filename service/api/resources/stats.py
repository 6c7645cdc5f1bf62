"""The state of this node's caches, for operators."""

from __future__ import annotations

import time
from collections import Counter

from aiohttp import web

from service.api.http.context import CONTEXT
from service.api.http.metrics import LEVELS
from service.api.schema.models import Stats, TreeStats, WalkStats
from service.api.schema.operations import DERIVED
from service.cache.janitor import Janitor
from service.cache.usage import Usage
from service.maintenance.leftovers import Leftovers
from service.maintenance.revalidation import Sweep
from service.maintenance.tasks import Tasks
from service.metrics import REQUESTS, SECONDS

PORTS = ("public", "api")
STARTED = time.monotonic()


async def stats(request: web.Request) -> web.Response:
    """The caches of this node: sizes, counts, hit ratio, ages, evictions.

    What nginx answers alone is in it a second later.
    """
    found = stats_of(request.app[CONTEXT].tasks)
    return web.json_response(text=found.model_dump_json(), headers={"Cache-Control": "no-store"})


def stats_of(tasks: Tasks) -> Stats:
    """The numbers of this node, as `GET /stats` answers them."""
    derivatives, disk, revalidation = tasks.derivatives, tasks.disk, tasks.revalidation
    sweep, transcoded = revalidation.last or Sweep(), derivatives.maker.transcoded
    questions, jpeg_bytes = revalidation.questions, _jpeg_bytes(tasks)
    # To clients, by nginx and the service; the service's own counts lack nginx's and include warming.
    answered, refused = _answered()
    return Stats(
        running=time.monotonic() - STARTED,
        answered=dict(answered),
        hit_ratio=1 - answered["MISS"] / answered.total() if answered.total() else 0.0,
        refused=refused,
        seconds=dict(_seconds()),
        derived=_tree(disk.tree.usage, tasks.derived_janitor),
        originals=_tree(tasks.originals.usage, tasks.originals_janitor),
        memory_bytes=disk.memory.bytes,
        memory_images=len(disk.memory),
        most_memory_bytes=disk.memory.limit,
        flights=len(derivatives.flights),
        shared=derivatives.flights.shared,
        failures_remembered=len(derivatives.maker.failures),
        disk_failures=dict(disk.work.failures),
        access_times=tasks.access_times,
        swept=time.monotonic() - revalidation.finished if revalidation.last else None,
        sweep_seconds=sweep.seconds,
        listed=revalidation.originals or 0,
        jpeg_bytes=jpeg_bytes,
        jpeg_xl_saves=round(transcoded.share * jpeg_bytes),
        jpeg_xl_measured=transcoded.images if transcoded.is_measured else 0,
        cached=sweep.cached,
        suspected=sweep.suspected,
        sweeps_failed=revalidation.failures,
        revalidation=questions.mode,
        due=len(questions.used),
        oldest_due=questions.used.oldest,
        asked=questions.asked,
        asks_failed=questions.failures,
        journal_age=tasks.journal.stats.age,
        settled=None if tasks.journal.store.journal is None else tasks.journal.stats.read_at is not None,
        unproven_bytes=disk.tree.unproven.held.bytes,
        proved=disk.tree.unproven.proved,
        journal_waiting=tasks.journal.waiting,
        journal_failed=tasks.journal.stats.failures,
        walk=_walk(tasks.leftovers),
    )


def _jpeg_bytes(tasks: Tasks) -> int:
    """As the last listing of the originals told; where they are not listed, by those that the walk has met."""
    if tasks.revalidation.last:
        return tasks.revalidation.last.jpeg_bytes
    held = tasks.revalidation.questions.originals
    return round(tasks.leftovers.progress.jpeg_part * held.bytes) if held else 0


def _walk(leftovers: Leftovers) -> WalkStats:
    progress = leftovers.progress
    return WalkStats(
        share=progress.share,
        age=leftovers.age,
        part=progress.part,
        objects=progress.walked,
        removed=progress.removed,
    )


def _tree(usage: Usage, janitor: Janitor) -> TreeStats:
    oldest, newest = janitor.ages.seconds if janitor.ages else (None, None)
    return TreeStats(
        bytes=usage.bytes,
        files=usage.files,
        most_bytes=janitor.budget.bytes,
        most_files=janitor.budget.files,
        evicted=janitor.evicted,
        rounds=janitor.rounds,
        counted=janitor.learned,
        oldest=oldest,
        newest=newest,
    )


def _answered() -> tuple[Counter[str], int]:
    """Answers by X-Cache, and how many were refusals or failures."""
    found, refused = Counter(dict.fromkeys(LEVELS, 0)), 0
    for metric in REQUESTS.collect():
        for sample in metric.samples:
            if sample.name.endswith("_total"):
                if sample.labels["cache"] in found:
                    found[sample.labels["cache"]] += int(sample.value)
                if sample.labels["status"] >= "400":
                    refused += int(sample.value)
    return found, refused


def _seconds() -> Counter[str]:
    """Derived images of both ports by the bounds of time, in seconds, that they kept; as a Prometheus histogram."""
    found: Counter[str] = Counter()
    for port in PORTS:
        for metric in SECONDS.labels(port, DERIVED.name).collect():
            buckets = (sample for sample in metric.samples if sample.name.endswith("_bucket"))
            found.update({sample.labels["le"]: int(sample.value) for sample in buckets})
    return found
