"""The exceptions of the client.

GatewayError
├── Unreachable     no answer at this address
├── Broken          what arrived is not whole
├── NotFound        there is no such image (404)
├── Conflict        the name is taken, or the image is another by now (409, 412)
├── Unavailable     the gateway cannot do it now (408, 429, 503, 504)
└── Refused         the request is wrong, or not allowed (other 4xx, 501)
"""

from __future__ import annotations

import httpx
from pydantic import ValidationError

from service.api.schema.models import Problem


class GatewayError(Exception):
    """A call that failed, in one line; `problem` is what the gateway said, where it did."""

    def __init__(self, message: str, problem: Problem | None = None) -> None:
        super().__init__(message)
        self.problem = problem


class Unreachable(GatewayError):
    pass


class Broken(GatewayError):
    pass


class NotFound(GatewayError):
    pass


class Conflict(GatewayError):
    pass


class Unavailable(GatewayError):
    pass


class Refused(GatewayError):
    pass


_KINDS: dict[int, type[GatewayError]] = {
    404: NotFound,
    408: Unavailable,
    409: Conflict,
    412: Conflict,
    429: Unavailable,
    503: Unavailable,
    504: Unavailable,
}
_WAYS_OUT = {
    401: "give a token in IMAGE_GATEWAY_TOKEN",
    403: "use a token with this scope",
    503: "try again in a moment",
    504: "try again in a moment",
}


def check(response: httpx.Response) -> None:
    """Raise the error that an answer carries; its body must have been read."""
    if response.is_success or response.status_code == 304:
        return
    try:
        problem = Problem.model_validate_json(response.content)
        text = problem.detail
    except ValidationError:
        problem, text = None, response.reason_phrase or "no reason given"
    way_out = _WAYS_OUT.get(response.status_code)
    if response.status_code == 403 and problem and not problem.type.endswith(":forbidden"):
        way_out = None  # it is not for the token's sake, and the detail says what helps
    message = f"{response.status_code}: {text}" + (f" ({way_out})" if way_out else "")
    kind = _KINDS.get(response.status_code, Refused if response.status_code < 502 else Unavailable)
    raise kind(message, problem)


def require_url(base_url: str) -> None:
    """Raise Unreachable where this cannot be the address of a gateway."""
    try:
        url = httpx.URL(base_url)
    except httpx.InvalidURL:
        url = httpx.URL()
    if url.scheme not in ("http", "https") or not url.host or not 0 < (url.port or 80) < 65536:
        raise Unreachable(f"{base_url} is no address of a gateway's API: it must be such as http://127.0.0.1:8081")


def unreachable(error: httpx.TransportError, base_url: str) -> GatewayError:
    """The error of a connection that could not be made, or broke."""
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
        return Unreachable(f"no answer at {base_url}: start the gateway (image-gateway up), or name it with --api")
    return Broken(f"the connection to {base_url} broke: {error or type(error).__name__}; try again")
