"""How the caches are: sizes against budgets, who answered, what was evicted, how fresh all is. Plain numbers."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from service.cache.janitor import Janitor
from service.cache.usage import Usage
from service.maintenance.tasks import Care


@dataclass(frozen=True, slots=True)
class TreeStats:
    """One tree on disk, against its budget. `counted` tells whether what was there at the start is in the numbers.
    `oldest` and `newest` are how many seconds ago files were last used, as the last count found them: no file was
    used longer ago than `oldest`. None until there was a count."""

    bytes: int
    files: int
    most_bytes: int
    most_files: int
    evicted: int
    rounds: int
    counted: bool
    oldest: float | None
    newest: float | None


@dataclass(frozen=True, slots=True)
class CacheStats:
    """Since the start, but for what is there now.

    `answered` counts the service's answers by level; what nginx served alone is not in it. `shared` are requests that
    joined a flight. `disk_failures` are by the name of the error. `swept` is how many seconds ago this node was last
    known to agree with the originals, None if never since the start.
    """

    derived: TreeStats
    originals: TreeStats
    memory_bytes: int
    memory_images: int
    most_memory_bytes: int
    answered: Mapping[str, int]
    hit_ratio: float
    flights: int
    shared: int
    failures_remembered: int
    disk_failures: Mapping[str, int]
    access_times: bool
    swept: float | None
    sweep_seconds: float
    listed: int
    cached: int
    suspected: int
    sweeps_failed: int


def stats_of(care: Care) -> CacheStats:
    derivatives, disk, revalidation = care.derivatives, care.disk, care.revalidation
    sweep, answered = revalidation.last, derivatives.answered
    return CacheStats(
        derived=_tree(disk.tree.usage, care.derived_janitor),
        originals=_tree(care.originals.usage, care.originals_janitor),
        memory_bytes=disk.memory.bytes,
        memory_images=len(disk.memory),
        most_memory_bytes=disk.memory.limit,
        answered=dict(answered),
        hit_ratio=1 - answered["MISS"] / answered.total() if answered.total() else 0.0,
        flights=len(derivatives.flights),
        shared=derivatives.flights.shared,
        failures_remembered=len(derivatives.failures),
        disk_failures=dict(disk.work.failures),
        access_times=care.access_times,
        swept=time.monotonic() - revalidation.finished if sweep else None,
        sweep_seconds=sweep.seconds if sweep else 0.0,
        listed=sweep.listed if sweep else 0,
        cached=sweep.cached if sweep else 0,
        suspected=sweep.suspected if sweep else 0,
        sweeps_failed=revalidation.failures,
    )


def _tree(usage: Usage, janitor: Janitor) -> TreeStats:
    budget = janitor.budget
    oldest, newest = janitor.ages.seconds if janitor.ages else (None, None)
    return TreeStats(
        bytes=usage.bytes,
        files=usage.files,
        most_bytes=budget.bytes,
        most_files=budget.files,
        evicted=janitor.evicted,
        rounds=janitor.rounds,
        counted=janitor.learned,
        oldest=oldest,
        newest=newest,
    )
