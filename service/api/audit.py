"""The audit: one line for each change, and for each that failed, in the logger `audit`. Never a token."""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Iterator

from aiohttp import web

from service.api.auth import ANONYMOUS, CLIENT
from service.api.problems import kind_of

log = logging.getLogger("audit")


@contextlib.contextmanager
def audited(request: web.Request, what: str, name: str) -> Iterator[None]:
    """Tell who did `what` to `name`, and how it ended."""
    try:
        yield
    except Exception as error:
        kind = kind_of(error)
        _tell(request, what, name, f"{kind.status} {kind.code}")
        raise
    except BaseException:
        _tell(request, what, name, "cancelled")
        raise
    _tell(request, what, name, "done")


def _tell(request: web.Request, what: str, name: str, result: str) -> None:
    who = request.get(CLIENT, ANONYMOUS).name
    parts = {"who": who, "from": request.remote or "", "what": what, "name": name, "result": result}
    log.info(" ".join(f"{key}={json.dumps(value, ensure_ascii=False)}" for key, value in parts.items()))
