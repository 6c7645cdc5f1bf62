"""Remember failures briefly by content, where the image causes them and a second attempt would fail alike."""

from __future__ import annotations

import time
from collections import OrderedDict

from service.engine.job import EngineError, NotAnImage, TooLarge, Undecodable, Unsatisfiable

CERTAIN = (NotAnImage, TooLarge, Undecodable, Unsatisfiable)
MOST = 4096
LIFETIME = 60.0  # seconds


class Failures:
    """The last failures by the original's ETag and the derived name. What the moment caused is never taken."""

    def __init__(self) -> None:
        self._failures: OrderedDict[tuple[str, str], tuple[float, EngineError]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._failures)

    def check(self, etag: str, name: str) -> None:
        """Raise what is remembered of this image, with the traceback of this request only."""
        when, error = self._failures.get((etag, name), (0.0, None))
        if error is None:
            return
        if time.monotonic() - when < LIFETIME:
            raise type(error)(str(error))
        del self._failures[etag, name]

    def note(self, etag: str, name: str, error: EngineError) -> None:
        if not isinstance(error, CERTAIN):
            return
        self._failures[etag, name] = (time.monotonic(), type(error)(str(error)))
        if len(self._failures) > MOST:
            self._failures.popitem(last=False)
