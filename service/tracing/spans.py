"""Make spans: one for each answer, and below it one for each stage and each call to the store. Importing this module
needs OpenTelemetry's packages."""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from importlib import metadata

from aiohttp import web
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.instrumentation.aiohttp_server import AioHttpServerInstrumentor
from opentelemetry.instrumentation.requests import RequestsInstrumentor
from opentelemetry.instrumentation.threading import ThreadingInstrumentor
from opentelemetry.propagate import set_global_textmap
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.sdk.trace.sampling import Decision, ParentBased, Sampler, SamplingResult
from opentelemetry.trace import Link, SpanKind, Status, StatusCode, TraceState
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import Attributes

from gateway.settings import Config
from service.store.errors import Exists, NotFound, PreconditionFailed, StoreError
from service.tracing.exporter import Delivery
from service.tracing.middleware import follow

LONGEST_VALUE = 1024  # characters of an attribute, which may be a name that a client made up
LIBRARIES = (
    AioHttpServerInstrumentor,
    RequestsInstrumentor,
    ThreadingInstrumentor,
)  # the last two are for a remote store
WELL = (NotFound, Exists, PreconditionFailed)  # answers of a store that is as it should be

# The names of attributes that are the standard now; without this the libraries use those of before 2023.
os.environ.setdefault("OTEL_SEMCONV_STABILITY_OPT_IN", "http")


class Spans:
    """Traces of one running service; see `service.tracing.setup.Tracing`."""

    def __init__(self, config: Config, *, remote_store: bool) -> None:
        self._sample = config.tracing.sample
        self._provider = TracerProvider(
            sampler=ParentBased(_OfRequests()),
            resource=_resource(config.tracing.service_name),
            span_limits=SpanLimits(max_attribute_length=LONGEST_VALUE),
            shutdown_on_exit=False,
        )
        self._provider.add_span_processor(Delivery(config.tracing))
        self._tracer = self._provider.get_tracer("image-gateway")
        set_global_textmap(TraceContextTextMapPropagator())
        self._kinds = LIBRARIES if remote_store else LIBRARIES[:1]
        for kind in self._kinds:
            kind().instrument(tracer_provider=self._provider)

    def close(self) -> None:
        """Deliver what is left; it takes a few seconds at most."""
        for kind in self._kinds:
            kind().uninstrument()
        self._provider.shutdown()

    def follow(self, app: web.Application, port: str) -> None:
        follow(app, port, self._sample, self._note)

    @contextlib.contextmanager
    def store_call(self, container: str, call: str) -> Iterator[None]:
        """A span around a call to the store, where it belongs to a request that is traced."""
        if not trace.get_current_span().get_span_context().trace_flags.sampled:
            yield
            return
        with self._tracer.start_as_current_span(
            f"{call} {container}",
            kind=SpanKind.CLIENT,
            attributes={"image_gateway.store.container": container, "image_gateway.store.call": call},
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                yield
            except StoreError as error:
                span.set_attribute("error.type", type(error).__name__)
                if not isinstance(error, WELL):
                    span.set_status(Status(StatusCode.ERROR))
                raise

    def _note(self, stages: Mapping[str, float]) -> None:
        """Spans of stages that followed upon each other, the last of which has ended just now."""
        end = time.time_ns()
        for stage, seconds in reversed(list(stages.items())):
            start = end - int(seconds * 1e9)
            self._tracer.start_span(stage, start_time=start).end(end)
            end = start


class _OfRequests(Sampler):
    """A trace begins with a request, never with what the service does for itself, such as logging in to the store."""

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        is_request = kind is SpanKind.SERVER
        return SamplingResult(Decision.RECORD_AND_SAMPLE if is_request else Decision.DROP, attributes, trace_state)

    def get_description(self) -> str:
        return "requests"


def _resource(name: str) -> Resource:
    """The resource attributes of all spans; OTEL_RESOURCE_ATTRIBUTES may add to them."""
    version, node = metadata.version("image-gateway"), socket.gethostname()
    return Resource.create({"service.name": name, "service.version": version, "service.instance.id": node})
