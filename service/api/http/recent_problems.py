"""The last problems that this process answered with, for people who watch it."""

from __future__ import annotations

from collections import deque
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from service.api.schema.page_models import RecentProblem
from service.observability.trace import current

MOST_HELD = 50
LONGEST_PATH = 200  # characters

_held: deque[RecentProblem] = deque(maxlen=MOST_HELD)


def note(request: web.Request, problem: dict[str, Any], path: str = "") -> None:
    """Remember a problem (RFC 9457) and the request that it answers: no query, which may hold a signature. `path` is
    given where the request's own path holds one."""
    trace = current.get()
    _held.append(
        RecentProblem(
            time=datetime.now(UTC),
            port=trace.port if trace else "",
            method=request.method,
            path=(path or request.path)[:LONGEST_PATH],
            status=problem["status"],
            code=problem["type"].rpartition(":")[2],
            detail=problem["detail"],
        )
    )


def latest() -> list[RecentProblem]:
    """The problems that are remembered, the latest first."""
    return list(reversed(_held))
