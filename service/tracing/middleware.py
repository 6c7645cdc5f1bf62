"""Trace requests by OpenTelemetry's own middleware: choose those that have a span, and its attributes."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from aiohttp import web
from aiohttp.typedefs import Middleware
from opentelemetry import trace
from opentelemetry.instrumentation.utils import suppress_instrumentation

from service.api.http.metrics import kind_of
from service.api.http.problems import Handler
from service.observability import timings

PARENT = "traceparent"  # W3C Trace Context
FINEST = 1_000_000  # parts of a share

Note = Callable[[Mapping[str, float]], None]


@dataclass(frozen=True, slots=True)
class RequestSpans:
    """See `service.observability.timings.Spans`."""

    id: str
    note: Note


def follow(app: web.Application, port: str, sample: float, note: Note) -> None:
    """Trace a share of this app's requests; `app` was made while aiohttp was instrumented, so that the first of its
    middlewares makes the spans. `note` receives the stages of each that is traced."""
    app.middlewares.insert(1, _describe(port, note))
    app.middlewares.insert(0, _choose(port, round(sample * FINEST)))


def _choose(port: str, share: int) -> Middleware:
    """Choose the requests that are traced. A client of the API may ask to be traced. A client of the public port may
    only decline, because otherwise any client could have all its requests traced."""

    @web.middleware
    async def choose(request: web.Request, handler: Handler) -> web.StreamResponse:
        asked = port == "api" and PARENT in request.headers
        if kind_of(request) and (asked or secrets.randbelow(FINEST) < share) and _has_url(request):
            return await handler(request)
        with suppress_instrumentation():
            return await handler(request)

    return choose


def _has_url(request: web.Request) -> bool:
    """Return True if OpenTelemetry can read the URL. It would raise for a malformed Host, and fail the request."""
    try:
        return bool(request.url)
    except ValueError:
        return False


def _describe(port: str, note: Note) -> Middleware:
    """What OpenTelemetry cannot know of a request; and its log lines learn the trace's id."""

    @web.middleware
    async def describe(request: web.Request, handler: Handler) -> web.StreamResponse:
        span, current, kind = trace.get_current_span(), timings.current.get(), kind_of(request)
        if not span.is_recording() or current is None or kind is None:
            return await handler(request)
        current.spans = RequestSpans(trace.format_trace_id(span.get_span_context().trace_id), note)
        span.set_attribute("image_gateway.request_id", current.id)
        span.set_attribute("image_gateway.port", port)
        span.set_attribute("image_gateway.kind", kind.name)
        if request.match_info.http_exception is None:
            path, _, _ = request.path.partition("?")  # one that was escaped by mistake has the signature behind it
            span.set_attribute("image_gateway.path", path)
        with trace.use_span(trace.INVALID_SPAN) if kind.many else contextlib.nullcontext():
            response = await handler(request)
        if level := response.headers.get("X-Cache"):
            span.set_attribute("image_gateway.cache", level)
        return response

    return describe
