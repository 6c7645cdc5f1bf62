"""Write logs to standard error, one line per event, as text or JSON. Each line has the id of its request."""

from __future__ import annotations

import json
import logging
import re
import sys
import time
from typing import Protocol, TextIO

from service.observability import trace

MOST = 20  # lines of one place in the code...
WITHIN = 1.0  # ...in so many seconds; what comes beyond them is counted and not logged


_INVISIBLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
"""What moves the cursor of a terminal, ends a line, or hides or reorders what stands beside it."""


def _visible(text: str) -> str:
    r"""The text with such characters as \uXXXX, which JSON reads as the same character."""
    return _INVISIBLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


class _Text(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        text = _visible(super().format(record))
        request = trace.current.get()
        return f"{text} [{request.id}]" if request else text


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        event = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        request = trace.current.get()
        if request:
            event["request"] = request.id
            if request.spans:
                event["trace"] = request.spans.id
        if record.exc_info:
            event["exception"] = self.formatException(record.exc_info)
        return _visible(json.dumps(event, ensure_ascii=False))


class _Flood(logging.Filter):
    """Lets so many lines of one place through in a while: a flood of requests must not become one of lines. How many
    were left out is logged with the next line of that place. Audit lines are never left out."""

    def __init__(self) -> None:
        super().__init__()
        self._places: dict[tuple[str, int], list[float]] = {}  # since when, how many since

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name == "audit":
            return True
        now = time.monotonic()
        place = self._places.setdefault((record.pathname, record.lineno), [now, 0])
        since, count = place
        if now - since >= WITHIN:
            if count > MOST:
                record.msg = f"{record.msg} (and {count - MOST:.0f} more such lines in {now - since:.0f} s)"
            place[:] = [now, 1]
            return True
        place[1] = count + 1
        return count < MOST


class _Stream(logging.StreamHandler[TextIO]):
    """Drops a line that the file behind standard error has no room for, without a traceback in its place."""

    def handleError(self, record: logging.LogRecord) -> None:  # logging's name
        if not isinstance(sys.exc_info()[1], OSError):
            super().handleError(record)


class Options(Protocol):
    """What of the section `log` of the configuration is used here."""

    @property
    def level(self) -> str: ...

    @property
    def format(self) -> str: ...


def configure(options: Options) -> None:
    """Send every logger's lines to standard error, from the configured level on."""
    handler = _Stream(sys.stderr)
    handler.setFormatter(
        _Json() if options.format == "json" else _Text("%(asctime)s %(levelname)s %(name)s: %(message)s")
    )
    handler.addFilter(_Flood())
    logging.basicConfig(level=options.level.upper(), handlers=[handler], force=True)
    logging.getLogger("asyncio").setLevel(logging.WARNING)
