"""Logs on standard error, one line per event: text for people, JSON for machines."""

from __future__ import annotations

import json
import logging
import sys

from gateway.settings import Log


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        event = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            event["exception"] = self.formatException(record.exc_info)
        return json.dumps(event, ensure_ascii=False)


def configure(options: Log) -> None:
    """Send every logger's lines to standard error, from the configured level on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        _Json() if options.format == "json" else logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s")
    )
    logging.basicConfig(level=options.level.upper(), handlers=[handler], force=True)
    logging.getLogger("asyncio").setLevel(logging.WARNING)
