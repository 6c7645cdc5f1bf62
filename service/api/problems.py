"""The one place that turns every kind of failure into the answer a client sees: application/problem+json (RFC 9457)."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus

from aiohttp import web

from gateway.errors import Refused
from service.engine import job
from service.store import base

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

CONTENT_TYPE = "application/problem+json"
VARIES = web.RequestKey("varies", bool)  # set by handlers of names whose format is negotiated

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Kind:
    """How one kind of failure is told: `code` is the last part of its `type`; `detail` replaces the error's own
    text where that is not for clients."""

    status: int
    code: str
    detail: str | None = None


KINDS: dict[type[Exception], Kind] = {
    base.NotFound: Kind(404, "no-such-image", "there is no such image"),
    base.Exists: Kind(409, "name-exists", "there is an image of this name; replace it with ?replace=true or If-Match"),
    base.PreconditionFailed: Kind(412, "precondition-failed", "the image is not the one that If-Match names"),
    base.Unholdable: Kind(400, "unholdable-name"),
    base.NoTemporaryUrls: Kind(501, "no-temporary-urls", "this store cannot make temporary URLs"),
    base.Corrupt: Kind(503, "corrupt-transfer", "the store's answer was damaged on its way"),
    base.StoreFull: Kind(507, "store-full", "the store has no room"),
    base.Unavailable: Kind(503, "store-unavailable", "the store cannot be reached"),
    job.NotAnImage: Kind(415, "not-an-image"),
    job.TooLarge: Kind(413, "too-large"),
    job.Undecodable: Kind(422, "undecodable"),
    job.Crashed: Kind(422, "crashed"),
    job.TimedOut: Kind(504, "timed-out"),
    job.Saturated: Kind(503, "saturated"),
    job.EngineError: Kind(422, "failed"),
    OSError: Kind(503, "disk", "this node cannot use its disk"),
}
REFUSED_CODES = {400: "malformed", 401: "unauthorised", 403: "forbidden"}
RETRY_AFTER = 5.0  # seconds, where the error itself does not say
WITH_RETRY = (429, 503)


def problem(status: int, code: str, detail: str, headers: dict[str, str] | None = None) -> web.Response:
    """One answer. `code` is a word of the documentation's table, `detail` one sentence for the client."""
    body = {
        "type": f"urn:image-gateway:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    common = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    return web.Response(
        status=status, body=json.dumps(body).encode(), content_type=CONTENT_TYPE, headers={**common, **(headers or {})}
    )


def answer(error: Exception) -> web.Response:
    """The answer to a failure; what no table knows is logged and told as 500, without a word of what it was."""
    if isinstance(error, Refused):
        headers = {"WWW-Authenticate": 'Signature realm="images"'} if error.status == 401 else None
        return problem(error.status, REFUSED_CODES[error.status], error.detail, headers)
    if isinstance(error, web.HTTPException):
        allow = {key: value for key, value in error.headers.items() if key in ("Allow", "WWW-Authenticate")}
        code = error.reason.lower().replace(" ", "-")
        return problem(error.status, code, error.text or error.reason, allow)
    kind = next((KINDS[base_class] for base_class in type(error).__mro__ if base_class in KINDS), None)
    if kind is None:
        log.error("an unexpected failure", exc_info=error)
        return problem(500, "internal", "something went wrong here; the log knows more")
    if kind.status >= 500:
        log.warning("%s: %s", kind.code, error)
    retry = getattr(error, "retry_after", RETRY_AFTER)
    headers = {"Retry-After": str(math.ceil(retry))} if kind.status in WITH_RETRY else None
    return problem(kind.status, kind.code, kind.detail or str(error), headers)


@web.middleware
async def problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answers for whatever a handler raises."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        response = answer(error)
    except Exception as error:
        response = answer(error)
    if request.get(VARIES):
        response.headers["Vary"] = "Accept"
    return response
