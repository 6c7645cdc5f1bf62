"""The pool's counters, without names and units; the metrics add those."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Stats:
    """Since the start, but for `running`, which is now.

    `ended` counts jobs by how: `done`, or the error's code. `refused` jobs found the queue full, `banned` ones had
    ended processes lately, `displaced` ones were slow and gave way to others, `abandoned` ones lost their caller while
    they ran. `restarts` counts tries to replace a process, `kills` processes ended over a job, `recycled` those
    replaced in good health. `stages` sums seconds: `queue`, and what results tell.
    """

    running: int = 0
    ended: Counter[str] = field(default_factory=Counter)
    refused: int = 0
    banned: int = 0
    displaced: int = 0
    abandoned: int = 0
    restarts: int = 0
    kills: int = 0
    recycled: int = 0
    stages: dict[str, float] = field(default_factory=dict)

    def add_stages(self, stages: dict[str, float]) -> None:
        for stage, seconds in stages.items():
            self.stages[stage] = self.stages.get(stage, 0.0) + seconds
