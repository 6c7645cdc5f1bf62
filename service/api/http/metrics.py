"""Count and time every request and give it an id; take over nginx's counts; answer Prometheus."""

from __future__ import annotations

import logging
import re
import time
import uuid
from collections import deque
from functools import cache, lru_cache
from typing import Annotated

from aiohttp import web
from aiohttp.typedefs import Middleware
from pydantic import BaseModel, Field, NonNegativeInt, ValidationError

from gateway.errors import Refused
from service.api.http.auth import require_any
from service.api.http.problems import Handler
from service.api.schema.operation import OTHER, Kind
from service.api.schema.operations import DERIVED, DIALECTS, FRONT, METADATA, OPERATIONS, UPLOAD
from service.metrics import REQUESTS, SECONDS, UPLOADED, Metrics
from service.observability import timings

METRICS = web.AppKey("metrics", Metrics)
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
REQUEST_ID = "X-Request-Id"
RELIEF = "X-Relief"  # seconds for which nginx refuses what has to be made by itself, which costs a tenth
LEVELS = ("HIT-DISK", "HIT-MEMORY", "HIT-STORE", "MISS")
DIALECT_KINDS = web.AppKey("dialect_kinds", dict[str, Kind])  # by the path of a route
TEMP_URL = "TEMP-URL"  # in place of a level: what nginx answered of temporary URLs
MOST_COUNTED = 100  # batches of nginx's counts that are remembered; it tells one until it is confirmed, then the next
MOST_HELD = 1024  # combinations of labels of answers that are held: more than there are
GONE = 499  # the status, as nginx has it, of a request whose client left

_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_OPERATIONS = {(operation.method, operation.path): operation for operation in (*FRONT, *OPERATIONS)}
_NOT_COUNTED = {operation.path for operation in _OPERATIONS.values() if operation.kind is None}

_COUNTED = rf"^(?:{'|'.join((*LEVELS, TEMP_URL))})? [0-5][0-9]{{2}}(?: (?:{'|'.join(DIALECTS)}))?$"

_requests, _seconds = lru_cache(MOST_HELD)(REQUESTS.labels), cache(SECONDS.labels)
"""By their labels. To find them takes longer than to count."""

_counted: deque[str] = deque(maxlen=MOST_COUNTED)  # ids of batches; as old as the counters, which are this process's

log = logging.getLogger(__name__)


class Batch(BaseModel):
    """Counts of answers by "LEVEL STATUS" and "LEVEL STATUS DIALECT", with an id of their own. nginx has a status 000
    for what got no answer."""

    id: str = Field(pattern=r"^[0-9.-]{1,64}$")
    counts: dict[Annotated[str, Field(pattern=_COUNTED)], NonNegativeInt]


async def metrics(request: web.Request) -> web.Response:
    """The counters of this node, in Prometheus' text format 0.0.4.

    `name[]`, once or several times, picks series by their names, such as `image_gateway_requests_total`.
    """
    require_any(request, "metrics", "read")
    text = request.app[METRICS].text(request.query.getall("name[]", []))
    return web.Response(body=text, headers={"Content-Type": CONTENT_TYPE, "Cache-Control": "no-store"})


async def take_counts(request: web.Request) -> web.Response:
    """`POST /counts` of nginx: a batch of what it answered alone. One that was counted before, and is sent again since
    nginx did not hear so, is only confirmed."""
    try:
        batch = Batch.model_validate_json(await request.read())
    except ValidationError as error:
        raise Refused(400, "the counts are malformed") from error
    if batch.id not in _counted:
        _counted.append(batch.id)
        for key, count in batch.counts.items():
            level, status, *dialect = key.split(" ")
            kind, level = ("temp_url", "") if level == TEMP_URL else ((*dialect, DERIVED.name)[0], level)
            REQUESTS.labels("public", kind, status, level).inc(count)
    return web.Response(status=204)


def observe(app: web.Application, port: str, slow: float, known: Metrics) -> None:
    """Have an app's requests on this port counted; one that takes `slow` seconds is explained in the log."""
    app[METRICS] = known
    app.middlewares.insert(0, _observer(port, slow))
    app.on_response_prepare.append(_name_request)


def _observer(port: str, slow: float) -> Middleware:
    @web.middleware
    async def observer(request: web.Request, handler: Handler) -> web.StreamResponse:
        trace = timings.Trace(_id_of(request), port)
        timings.current.set(trace)
        began, status, level = time.perf_counter(), GONE, ""
        try:
            response = await handler(request)
            status, level = response.status, response.headers.get("X-Cache", "")
            if status == 503 and (relief := request.app[METRICS].engine.relief):
                response.headers[RELIEF] = f"{relief:.3f}"
            return response
        finally:
            took, kind = time.perf_counter() - began, kind_of(request)
            if kind:
                _requests(port, kind.name, str(status), level).inc()
                _seconds(port, kind.name).observe(took)
                UPLOADED.inc(request.content.total_bytes if kind is UPLOAD else 0)
                if took >= slow and not kind.long:
                    log.warning("slow: %s %s, %d after %.3f s: %s", request.method, request.path, status, took, trace)

    return observer


async def _name_request(_request: web.Request, response: web.StreamResponse) -> None:
    """Every answer bears the id of its request."""
    trace = timings.current.get()
    if trace:
        response.headers[REQUEST_ID] = trace.id


def _id_of(request: web.Request) -> str:
    """The id that nginx or the client gave, if it is one; else a new one."""
    given = request.headers.get(REQUEST_ID, "")
    return given if _ID.fullmatch(given) else uuid.uuid4().hex


def kind_of(request: web.Request) -> Kind | None:
    """The kind of a request; None for what only looks at the gateway: health, metrics, nginx's counts."""
    resource = request.match_info.route.resource
    path = resource.canonical if resource else ""
    if path in _NOT_COUNTED:
        return None
    operation = _OPERATIONS.get(("GET" if request.method == "HEAD" else request.method, path))
    if operation is None or operation.kind is None:
        return request.app.get(DIALECT_KINDS, {}).get(path, OTHER)
    if operation.kind is DERIVED and request.path.endswith(".json"):
        return METADATA
    asked = (kind for parameter, kind in operation.kinds.items() if parameter in request.query)
    return next(asked, operation.kind)
