"""A collector of OpenTelemetry traces for tests: it takes OTLP over HTTP, and keeps what it was sent."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1 import trace_pb2

from tests.waiting import until

REQUEST = "image_gateway.request_id"
PATIENCE = 30.0  # seconds that it answers nobody when it is to be stuck


@dataclass(frozen=True)
class Span:
    """A span as it came over the wire; ids in hex, `parent` empty for a root, times in nanoseconds since the epoch."""

    trace: str
    id: str
    parent: str
    name: str
    kind: str
    start: int
    end: int
    failed: bool
    attributes: dict[str, Any]
    resource: dict[str, Any]


@dataclass
class Collector:
    """What was sent so far. While it is `stuck` it takes everything and answers nobody; `elsewhere` is where it sends
    everybody, if not empty."""

    url: str = ""
    spans: list[Span] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    stuck: bool = False
    elsewhere: str = ""
    ended: threading.Event = field(default_factory=threading.Event)

    def request(self, id: str) -> Span:
        """The span of the request with this id. What is below it has arrived before."""
        until(lambda: any(span.attributes.get(REQUEST) == id for span in self.spans))
        (one,) = [span for span in self.spans if span.attributes.get(REQUEST) == id]
        return one

    @property
    def requests(self) -> set[str]:
        """The ids of all requests that have a span."""
        return {span.attributes[REQUEST] for span in self.spans if REQUEST in span.attributes}

    def below(self, parent: Span) -> list[Span]:
        """The children of a span, in the order of their starts."""
        return sorted((span for span in self.spans if span.parent == parent.id), key=lambda span: span.start)


@contextlib.contextmanager
def collecting(port: int = 0, *, stuck: bool = False, elsewhere: str = "") -> Iterator[Collector]:
    """A collector on loopback."""
    collector = Collector(stuck=stuck, elsewhere=elsewhere)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if collector.stuck:
                collector.ended.wait(PATIENCE)
                return
            if collector.elsewhere:
                self.send_response(307)
                self.send_header("Location", collector.elsewhere)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            collector.paths.append(self.path)
            collector.headers.append({name.lower(): value for name, value in self.headers.items()})
            collector.bodies.append(body)
            collector.spans += _spans(ExportTraceServiceRequest.FromString(body))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_words: object) -> None:
            """Log nothing: no test reads it."""

    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        collector.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield collector
        finally:
            collector.ended.set()
            server.shutdown()
            thread.join()


def _spans(request: ExportTraceServiceRequest) -> Iterator[Span]:
    for group in request.resource_spans:
        resource = _plain(group.resource.attributes)
        for scope in group.scope_spans:
            for span in scope.spans:
                assert not span.events
                assert not span.status.message
                yield Span(
                    span.trace_id.hex(),
                    span.span_id.hex(),
                    span.parent_span_id.hex(),
                    span.name,
                    trace_pb2.Span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_"),
                    span.start_time_unix_nano,
                    span.end_time_unix_nano,
                    span.status.code == trace_pb2.Status.STATUS_CODE_ERROR,
                    _plain(span.attributes),
                    resource,
                )


def _plain(attributes: list[KeyValue]) -> dict[str, Any]:
    return {one.key: getattr(one.value, one.value.WhichOneof("value") or "string_value") for one in attributes}
