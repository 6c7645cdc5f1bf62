"""The trace of the request that a task works for; a task gives it on to the tasks that it starts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Protocol


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
