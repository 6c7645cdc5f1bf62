"""A circuit breaker: after a few failures in a row, calls to a dead server fail at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from service.store.base import BreakerState
from service.store.errors import Unavailable


class Breaker:
    """Opens after `threshold` failures in a row; lets one call through after `pause` seconds, which decides.

    Safe between threads. `opened` counts how often it has opened.
    """

    def __init__(self, threshold: int = 4, pause: float = 2.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._threshold = threshold
        self._pause = pause
        self._clock = clock
        self._lock = threading.Lock()
        self._failures = 0
        self._blocked_until = 0.0
        self.state: BreakerState = "closed"
        self.opened = 0

    def look(self) -> None:
        """Raises Unavailable while the circuit is open."""
        remaining = self._blocked_until - self._clock()
        if self.state != "closed" and remaining > 0:
            raise Unavailable("Swift does not answer; it is left alone for a moment", max(1.0, remaining))

    def enter(self) -> None:
        """Before a call, which must then report. Raises Unavailable while the circuit is open."""
        with self._lock:
            if self.state == "closed":
                return
            self.look()
            # This caller is the probe. Should it never report, the next one goes after another pause.
            self.state = "probing"
            self._blocked_until = self._clock() + self._pause

    def succeeded(self) -> None:
        """After a call that got an answer, whatever it said."""
        with self._lock:
            self._failures = 0
            self.state = "closed"

    def failed(self) -> None:
        """After a call that got no answer."""
        with self._lock:
            self._failures += 1
            if self.state == "probing" or self._failures >= self._threshold:
                if self.state == "closed":
                    self.opened += 1
                self.state = "open"
                self._blocked_until = self._clock() + self._pause
