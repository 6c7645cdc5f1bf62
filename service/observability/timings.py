"""Time a piece of work stage by stage, for the metrics and for the log line about a slow request.

Each task knows the trace of the request that it works for, and gives it on to the tasks that it starts. Work that many
wait for is attributed to the request that came first.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping
from functools import cache

from prometheus_client import Histogram

from service.engine.pool.stats import Stats
from service.observability.trace import Spans, Trace, current

__all__ = ["BUCKETS", "SECONDS", "Spans", "TimedStats", "Trace", "current", "note", "stage"]

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

SECONDS = Histogram(
    "image_gateway_stage_seconds",
    "Time that making an image took: queue, fetch, decode, transform, encode, publish.",
    ["stage"],
    buckets=BUCKETS,
    registry=None,
)


_seconds = cache(SECONDS.labels)
"""By stage. To find a label takes longer than to count."""


def note(stages: Mapping[str, float]) -> None:
    """These stages took so many seconds, one after the other until now."""
    trace = current.get()
    for stage, seconds in stages.items():
        _seconds(stage).observe(seconds)
        if trace is not None:
            trace.stages[stage] = trace.stages.get(stage, 0.0) + seconds
    if trace is not None and trace.spans is not None:
        trace.spans.note(stages)


@contextlib.contextmanager
def stage(name: str) -> Iterator[None]:
    """What happens within is this stage, however it ends."""
    began = time.perf_counter()
    try:
        yield
    finally:
        note({name: time.perf_counter() - began})


class TimedStats(Stats):
    """The engine's counters, which tell their stages on."""

    __slots__ = ()

    def add_stages(self, stages: dict[str, float]) -> None:
        Stats.add_stages(self, stages)
        note(stages)
