"""The store's clock, learned from the `Date` of its answers, so that the clocks of nodes do not matter.

`Date` has whole seconds, and an answer is under way for an unknown time. So each answer bounds the difference between
the store's clock and this node's monotonic one, and the bounds of several answers meet: the estimate is mostly better
than a tenth of a second.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

HELD = 64  # answers
DRIFT = 1e-4  # seconds for each second: what two clocks may come apart by
STEP = 300.0  # seconds after which an answer counts no more: the store's clock may have been set


@dataclass(slots=True)
class StoreClock:
    """The difference between the store's clock and the monotonic one. All times in seconds."""

    _heard: deque[tuple[float, float, float]] = field(default_factory=lambda: deque(maxlen=HELD))  # when, least, most

    def hear(self, date: float, sent: float, received: float) -> None:
        """An answer bore this `Date`, in seconds since the epoch; its monotonic times are those at this node."""
        self._heard.append((received, date - received, date + 1.0 - sent))

    def now(self, monotonic: float) -> float | None:
        """The store's time, in seconds since the epoch, at this monotonic time; None before the first answer.

        Where no difference fits all answers, since a clock was set, the last answer counts alone.
        """
        least, most = float("-inf"), float("inf")
        for when, low, high in reversed(tuple(self._heard)):  # threads add to it
            age = monotonic - when
            if age > STEP and least > float("-inf"):
                break
            slack = DRIFT * age
            if max(least, low - slack) > min(most, high + slack):
                break
            least, most = max(least, low - slack), min(most, high + slack)
        return monotonic + (least + most) / 2 if self._heard else None
