"""The answers that a measurement has seen, and their summary in one line."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Seen:
    """Seconds of each answer by status (0 for none) and of each hit; seconds of the measurement; CPU seconds of the
    gateway (`cpu`) and of the clients (`spent`)."""

    answers: dict[int, list[float]] = field(default_factory=dict)
    hits: list[float] = field(default_factory=list)
    seconds: float = 0.0
    cpu: float = 0.0
    spent: float = 0.0

    @property
    def cpu_per_good(self) -> float:
        """In milliseconds."""
        return 1000 * self.cpu / max(1, len(self.answers.get(200, ())))

    @property
    def goodput(self) -> float:
        return len(self.answers.get(200, ())) / self.seconds

    @property
    def other(self) -> int:
        """Answers that are neither good nor a refusal."""
        return sum(len(took) for status, took in self.answers.items() if status not in (200, 503))

    def line(self, name: str) -> str:
        good, refused = self.answers.get(200, [0.0]), self.answers.get(503, [])
        counts = ", ".join(f"{len(took)} x {status}" for status, took in sorted(self.answers.items()))
        return (
            f"{name:<10} good/s {self.goodput:6.1f}  median {percentile(good, 50):6.0f} ms  CPU/good "
            f"{self.cpu_per_good:5.1f} ms  refused p50 {percentile(refused, 50):4.1f} "
            f"p99 {percentile(refused, 99):4.1f} ms  hit p50 {percentile(self.hits, 50):5.2f} "
            f"p99 {percentile(self.hits, 99):5.1f} ms  asking {self.spent / self.seconds:4.0%} of a core  [{counts}]"
        )


def percentile(seconds: list[float], share: int) -> float:
    """In milliseconds; 0 where there is nothing."""
    ordered = sorted(seconds)
    return 1000 * ordered[min(len(ordered) - 1, len(ordered) * share // 100)] if ordered else 0.0
