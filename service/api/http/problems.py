"""Turn every kind of failure into the answer a client sees: application/problem+json (RFC 9457)."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any

from aiohttp import web

from gateway.error_page import VARY
from gateway.errors import Refused
from gateway.names import split_path
from service.api.http import errors, recent_problems
from service.api.http.context import raw_target
from service.api.http.error_page import as_page, wants_page
from service.api.schema.models import PROBLEM_JSON
from service.engine import job
from service.store import errors as store_errors
from service.uploads import errors as upload_errors
from service.uploads.quota import QuotaReached

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

BEGUN = web.RequestKey("begun", bool)  # set by handlers that send their answer piece by piece
RETRY_AFTER = 5.0  # seconds, where the error itself does not say

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Kind:
    """How one kind of failure is answered: `code` is the last part of its `type`, `when` its line in the documentation;
    `detail` replaces the error's own text where that is not for clients. The log has that text for 5xx except 501, and
    where `logged`."""

    status: int
    code: str
    when: str
    detail: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    logged: bool = False


INTERNAL = Kind(500, "internal", "a mistake of the gateway; its log knows more", "a mistake here; the log knows more")
EXPIRED = Kind(410, "upload-expired", "the temporary PUT URL of an upload, and the upload with it, has ended")
KINDS: Mapping[type[Exception], Kind] = {
    store_errors.NotFound: Kind(404, "no-such-image", "no image has this name", "there is no such image"),
    store_errors.Exists: Kind(
        409,
        "name-exists",
        "the name is taken, and replacing was not asked for",
        "there is an image of this name; replace it with ?replace=true or If-Match",
    ),
    store_errors.PreconditionFailed: Kind(
        412,
        "precondition-failed",
        "`If-Match`, `If-None-Match` or `If-Unmodified-Since` does not hold",
    ),
    store_errors.Unholdable: Kind(400, "unholdable-name", "the store cannot hold this name"),
    store_errors.ReadOnly: Kind(
        403, "read-only-store", "the store takes no changes here", "the store is read-only: it takes no changes"
    ),
    store_errors.NoTemporaryUrls: Kind(
        501,
        "no-temporary-urls",
        "the store cannot make temporary URLs: Swift refuses the key, or no folder takes one",
        "this store cannot make temporary URLs",
    ),
    store_errors.Corrupt: Kind(
        503, "corrupt-transfer", "the store's answer was damaged", "the store's answer was damaged on its way"
    ),
    store_errors.NotArrived: Kind(
        409,
        "not-arrived",
        "an upload is finished before its bytes were sent to its URL, or once more when its name holds something else",
    ),
    store_errors.NotAsAnnounced: Kind(
        400, "size-mismatch", "what was sent to the URL of an upload has another size than was announced"
    ),
    store_errors.IncomingFull: Kind(
        507, "incoming-full", "uploads that wait to be finished take all of `intake.quota`"
    ),
    store_errors.StoreFull: Kind(507, "store-full", "the store has no room", "the store has no room"),
    QuotaReached: Kind(507, "quota-reached", "`limits.store_bytes` or `limits.store_images` is reached"),
    store_errors.Forbidden: Kind(
        403,
        "store-forbids",
        "the gateway's user lacks the right in the store; the log says which",
        "the store does not let the gateway do this",
        logged=True,
    ),
    store_errors.Unavailable: Kind(
        503, "store-unavailable", "the store cannot be reached", "the store cannot be reached"
    ),
    job.NotAnImage: Kind(415, "not-an-image", "the content is no image, or of a format that is not accepted"),
    job.TooLarge: Kind(413, "too-large", "more bytes, pixels or frames than the limits allow"),
    job.Undecodable: Kind(422, "undecodable", "an image that is damaged or truncated"),
    job.Unsatisfiable: Kind(422, "unsatisfiable", "the image cannot be made as asked, such as with `mb` too small"),
    job.Crashed: Kind(422, "crashed", "the image ended the process that worked on it"),
    job.TimedOut: Kind(504, "timed-out", "the image took longer than its limit"),
    job.Interrupted: Kind(503, "interrupted", "others ended the process that worked on the image, twice"),
    job.Saturated: Kind(503, "saturated", "too much waits already"),
    job.DiskFull: Kind(503, "disk", "this node cannot use its disk", "this node cannot use its disk"),
    job.Malfunction: INTERNAL,
    job.EngineError: Kind(422, "failed", "the image cannot be made"),
    upload_errors.NoDirectUploads: Kind(501, "no-direct-uploads", "the store takes no uploads by temporary URLs here"),
    upload_errors.UnknownUpload: Kind(404, "no-such-upload", "the id is of no upload that this gateway began"),
    upload_errors.UploadExpired: EXPIRED,
    upload_errors.OtherBytes: Kind(400, "digest-mismatch", "the body is not what its digest says; nothing was stored"),
    upload_errors.RefusedByHook: Kind(
        422, "refused-by-hook", "`intake.hook` refuses the upload; the detail has its reason"
    ),
    upload_errors.HookFailed: Kind(503, "hook-failed", "`intake.hook` does not answer, and is needed"),
    errors.DigestMismatch: Kind(400, "digest-mismatch", "the body is not what its digest says; nothing was stored"),
    errors.Unauthenticated: Kind(
        401,
        "unauthorised",
        "no token, or an unknown one; on the public port, no signature",
        headers={"WWW-Authenticate": "Bearer"},
    ),
    errors.Forbidden: Kind(403, "forbidden", "the token lacks the scope, or the public port does not serve this"),
    errors.CrossSite: Kind(403, "cross-site", "a web page of another origin asks for a change"),
    errors.UnknownHost: Kind(403, "unknown-host", "`Host` is a name that is not ours, and there are no tokens"),
    errors.SlowSender: Kind(408, "slow-sender", "the body comes too slowly", headers={"Connection": "close"}),
    errors.Unmet: Kind(
        412, "precondition-failed", "`If-Match`, `If-None-Match` or `If-Unmodified-Since` does not hold"
    ),
    errors.TooMany: Kind(413, "too-many", "more images than one request may ask for"),
    errors.UnsupportedBody: Kind(415, "unsupported-body", "a body of another type or encoding than is taken here"),
    OSError: Kind(503, "disk", "this node cannot use its disk", "this node cannot use its disk"),
}
REFUSED = {
    400: Kind(400, "malformed", "a name, recipe, parameter or body that means nothing; the detail names it"),
    401: replace(KINDS[errors.Unauthenticated], headers={"WWW-Authenticate": 'Signature realm="images"'}),
    403: KINDS[errors.Forbidden],
    410: EXPIRED,
}
ROUTING = {
    404: Kind(404, "no-such-resource", "the path is none of the API's", "there is nothing at this path"),
    405: Kind(405, "method-not-allowed", "the path has other methods; `Allow` names them", "Allow names the methods"),
    416: Kind(416, "requested-range-not-satisfiable", "the image has no such bytes"),
    417: Kind(417, "expectation-failed", "`Expect` is something else than `100-continue`"),
}
NGINX = {
    429: Kind(429, "too-many-requests", "more misses from one address than `limits.rate` allows"),
    503: Kind(503, "service-unavailable", "the service cannot be started, or does not answer nginx, or is full"),
}  # told by nginx/lua/problems.lua, and by service/supervise/standby.py, which say more in their details
WITH_RETRY = (429, 503)


def table() -> list[Kind]:
    """Every kind of problem once, by status and code."""
    kinds = [*KINDS.values(), *REFUSED.values(), *ROUTING.values(), *NGINX.values(), INTERNAL]
    return sorted({kind.code: kind for kind in kinds}.values(), key=lambda kind: (kind.status, kind.code))


def markdown() -> Iterator[str]:
    """The lines of the documentation's table."""
    yield "| status | code | when |"
    yield "| --- | --- | --- |"
    for kind in table():
        yield f"| {kind.status} {HTTPStatus(kind.status).phrase} | `{kind.code}` | {kind.when} |"


def kind_of(error: BaseException) -> Kind:
    """Return how an error is answered; INTERNAL where no table knows it."""
    if isinstance(error, Refused):
        return REFUSED[error.status]
    if isinstance(error, web.HTTPException):
        return ROUTING.get(error.status) or Kind(error.status, error.reason.lower().replace(" ", "-"), "")
    found = (KINDS[known] for known in type(error).__mro__ if known in KINDS and issubclass(known, Exception))
    return next(found, INTERNAL)


def document(error: Exception, image: str = "") -> dict[str, Any]:
    """The body of a problem: for an answer, or for one of many results. `image` is the name that was asked for, where
    that is known."""
    kind = kind_of(error)
    text = (error.text or error.reason) if isinstance(error, web.HTTPException) else str(error)
    detail = kind.detail or text or kind.when
    return {
        "type": f"urn:image-gateway:problem:{kind.code}",
        "title": HTTPStatus(kind.status).phrase,
        "status": kind.status,
        "detail": f"{detail}: {image}" if image and isinstance(error, store_errors.NotFound) else detail,
    }


def note(error: Exception) -> None:
    """Write a failure to the log, where it is one that the log has."""
    kind = kind_of(error)
    if kind is INTERNAL:
        log.error("an unexpected failure", exc_info=error)
    elif kind.logged or (kind.status >= 500 and kind.status != 501):
        log.warning("%s: %s", kind.code, error)


def answer(error: Exception, accept: str = "", image: str = "") -> web.Response:
    """The answer to a failure; what no table knows is logged and told as 500, without a word of what it was."""
    kind = kind_of(error)
    note(error)
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", **kind.headers}
    if kind.status in WITH_RETRY:
        headers["Retry-After"] = str(math.ceil(getattr(error, "retry_after", RETRY_AFTER)))
    if isinstance(error, web.HTTPException):
        headers |= {name: error.headers[name] for name in ("Allow", "Content-Range") if name in error.headers}
    body = document(error, image)
    content_type = _content_type(accept)
    text = f"{body['title']}: {body['detail']}\n" if content_type == "text/plain" else json.dumps(body)
    return web.Response(status=kind.status, body=text.encode(), content_type=content_type, headers=headers)


@web.middleware
async def problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answers for whatever a handler raises before its answer has begun."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        response = _shown(request, error)
    except Exception as error:
        if request.get(BEGUN):  # nothing can be taken back: the connection breaks, so that no client takes it for whole
            log.warning("%s: an answer broke off: %s", kind_of(error).code, error)
            if request.transport is not None:
                request.transport.close()
            raise
        response = _shown(request, error)
    return response


def _shown(request: web.Request, error: Exception) -> web.Response:
    """The answer to a failure; for a browser that navigates, a page."""
    accept, image = request.headers.get("Accept", ""), _image_of(request)
    body = document(error, image)
    recent_problems.note(request, body)
    response = answer(error, accept, image)
    response.headers["Vary"] = VARY
    return as_page(request, response, body["title"], body["detail"]) if wants_page(request) else response


def _image_of(request: web.Request) -> str:
    """The image in the path of a request, without a recipe; as it came, for a path may hold a raw `#`."""
    if "name" not in request.match_info:
        return ""
    try:
        return "/".join(split_path(raw_target(request)[0])).partition("/@")[0]
    except Refused:
        return ""


def _content_type(accept: str) -> str:
    """The content type of a problem: problem+json, unless the client takes only JSON or text."""
    ranges = {part.partition(";")[0].strip().lower() for part in accept.split(",")}
    if not accept or ranges & {"*/*", "application/*", PROBLEM_JSON}:
        return PROBLEM_JSON
    if "application/json" in ranges:
        return "application/json"
    return "text/plain" if ranges & {"text/plain", "text/html", "text/*"} else PROBLEM_JSON
