"""The audit: one line for each change, for each that failed, and for what a token may not do. Never a token.

The logger `audit` has all changes. `audit.refused` has refusals, and anyone who reaches the
port can cause them: a flood of them is cut short by `service.observability.logs`, and counted.
"""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Iterator

from aiohttp import web

from service.api.http.auth import ANONYMOUS, CLIENT
from service.api.http.client_address import address_of
from service.api.http.errors import CrossSite, Forbidden, Unauthenticated, UnknownHost
from service.api.http.problems import Handler, kind_of
from service.metrics import REFUSALS, WEB_REFUSALS

LONGEST_PATH = 200  # characters of what was refused, which may be anything

log = logging.getLogger("audit")
refused = logging.getLogger("audit.refused")


@contextlib.contextmanager
def audited(request: web.Request, what: str, name: str) -> Iterator[None]:
    """Tell who did `what` to `name`, and how it ended."""
    try:
        yield
    except Exception as error:
        log.info("%s", _line(request, what, name, _result(error)))
        raise
    except BaseException:
        log.info("%s", _line(request, what, name, "cancelled"))
        raise
    log.info("%s", _line(request, what, name, "done"))


@web.middleware
async def refusals(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Tells who was refused for want of a token or of a scope, or as a web page, and what: the method and the path, and
    no query."""
    try:
        return await handler(request)
    except Unauthenticated as error:
        REFUSALS.labels("unknown" if "Authorization" in request.headers else "absent").inc()
        refused.warning("%s", _refusal(request, error))
        raise
    except Forbidden as error:  # a line of its own, so that no flood of strangers hides what a known client tried
        REFUSALS.labels("scope").inc()
        refused.warning("%s", _refusal(request, error))
        raise
    except (CrossSite, UnknownHost) as error:
        WEB_REFUSALS.labels("site" if isinstance(error, CrossSite) else "host").inc()
        refused.warning("%s", _refusal(request, error))
        raise


def _refusal(request: web.Request, error: Exception) -> str:
    asked = f"{request.method} {request.rel_url.raw_path}"
    return _line(request, "refused", asked[:LONGEST_PATH], _result(error))


def _result(error: Exception) -> str:
    kind = kind_of(error)
    return f"{kind.status} {kind.code}"


def _line(request: web.Request, what: str, name: str, result: str) -> str:
    who = request.get(CLIENT, ANONYMOUS).name
    parts = {"who": who, "from": address_of(request), "what": what, "name": name, "result": result}
    return " ".join(f"{key}={json.dumps(value, ensure_ascii=False)}" for key, value in parts.items())
