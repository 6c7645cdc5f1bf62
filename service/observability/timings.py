"""Time a piece of work stage by stage, for the metrics and for the log line about a slow request.

Each task knows the trace of the request that it works for, and gives it on to the tasks that it starts. Work that many
wait for is attributed to the request that came first.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache
from typing import Protocol

from prometheus_client import Histogram

from service.engine.pool.stats import Stats

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

SECONDS = Histogram(
    "image_gateway_stage_seconds",
    "Time that making an image took: queue, fetch, decode, transform, encode, publish.",
    ["stage"],
    buckets=BUCKETS,
    registry=None,
)


class Spans(Protocol):
    """What a trace holds of a request."""

    @property
    def id(self) -> str:
        """Of the trace, in hex."""

    @property
    def note(self) -> Callable[[Mapping[str, float]], None]:
        """Takes stages that followed upon each other, the last of which has ended just now."""


@dataclass(slots=True)
class Trace:
    """A request under way: its id, the port that it came by, and the seconds it took so far, by stage."""

    id: str
    port: str
    stages: dict[str, float] = field(default_factory=dict)
    spans: Spans | None = None

    def __str__(self) -> str:
        return ", ".join(f"{stage} {seconds:.3f}" for stage, seconds in self.stages.items()) or "no stage of making"


current: ContextVar[Trace | None] = ContextVar("trace", default=None)


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
