"""Answer what a dialect refuses, or what fails, in the dialect's own words; a browser that navigates gets a page."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from aiohttp import web

from gateway.error_page import VARY
from gateway.errors import Refused
from service.api.http import problems, recent_problems
from service.api.http.context import CONTEXT
from service.api.http.error_page import as_page, wants_page
from service.dialects.dialect import Dialect

_OF_BODY = ("Content-Type", "Content-Length")


def refusal(request: web.Request, error: Exception, dialect: Dialect, prefix: str) -> web.Response:
    """The error as the dialect says it, with the status, the headers and the log line of every other error."""
    body, headers = _usual(error)
    status, detail = body["status"], body["detail"]
    recent_problems.note(request, body, _unsigned(request.path, prefix) if dialect.signs else request.path)
    problem = dialect.problem(status, detail)
    response = web.Response(
        status=problem.status,
        body=problem.body,
        content_type=problem.content_type,
        headers={**headers, **cors(request), "X-Content-Type-Options": "nosniff", "Vary": VARY},
    )
    title = HTTPStatus(problem.status).phrase
    return as_page(request, response, title, detail) if wants_page(request) else response


def cors(request: web.Request) -> Mapping[str, str]:
    """The header by which pages of other origins may read the answer, where one is configured."""
    origin = request.app[CONTEXT].config.public.cors
    return {"Access-Control-Allow-Origin": origin} if origin else {}


def _usual(error: Exception) -> tuple[dict[str, Any], dict[str, str]]:
    """The problem (RFC 9457) that an error is elsewhere, and its headers. A dialect refuses with statuses of its
    own."""
    if isinstance(error, Refused):
        code = problems.REFUSED.get(error.status, problems.REFUSED[400]).code
        body = {"type": f"urn:image-gateway:problem:{code}", "status": error.status, "detail": error.detail}
        return body, {"Cache-Control": "no-store"}
    usual = problems.answer(error)
    headers = {name: value for name, value in usual.headers.items() if name not in _OF_BODY}
    return problems.document(error), headers


def _unsigned(path: str, prefix: str) -> str:
    """The path without its first part, which is a signature."""
    return f"{prefix}/…/{path.removeprefix(prefix).lstrip('/').partition('/')[2]}"
