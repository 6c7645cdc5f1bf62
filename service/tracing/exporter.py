"""Send ended spans to the collector. No request waits for it: spans that it does not accept in time are dropped.

OpenTelemetry's own BatchSpanProcessor starts a thread in every child between fork and exec, which under uvloop is each
new engine process. It takes up to thirty seconds to stop, and reports dropped spans only in the log.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from typing import Any
from urllib.parse import urlsplit

import requests
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.utils import suppress_instrumentation
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.trace import Status

from gateway.tracing_settings import Tracing
from service.metrics import SPANS

MOST_WAITING = 4096  # spans; some 2 KiB each
BATCH = 512  # spans of one delivery
PAUSE = 1.0  # seconds between deliveries, while there are fewer spans than that
LAST = 3.0  # seconds that the end of the service waits for the last ones
REMIND = 600.0  # seconds until failing deliveries are logged again
DEFAULT_PATH = "/v1/traces"  # of a collector, by the OTLP specification
SENT = frozenset(
    {
        "error.type",
        "http.request.method",
        "http.request.resend_count",
        "http.response.status_code",
        "http.route",
        "server.address",
        "server.port",
        "url.scheme",
    }
)
"""The attributes that spans may have, besides image_gateway's own. Queries, headers and messages may hold what opens
something: a signature, a token; so nothing that the libraries may yet come to note leaves unseen."""

log = logging.getLogger(__name__)


class Delivery(SpanProcessor):
    """A bounded queue, and a thread that delivers what is in it."""

    def __init__(self, options: Tracing) -> None:
        parts = urlsplit(options.endpoint)
        self._endpoint = parts._replace(path=DEFAULT_PATH if parts.path in ("", "/") else parts.path).geturl()
        self._session = _Session()
        self._exporter: SpanExporter = OTLPSpanExporter(
            endpoint=self._endpoint,
            headers={name: secret.get_secret_value() for name, secret in options.headers.items()},
            timeout=options.timeout,
            session=self._session,
        )
        logging.getLogger("opentelemetry").setLevel(logging.ERROR)  # it warns of what clients send, in their words
        logging.getLogger(OTLPSpanExporter.__module__).setLevel(logging.CRITICAL)  # failures are logged below, once
        self._waiting: deque[ReadableSpan] = deque()
        self._wake = threading.Event()
        self._closing = False
        self._lost = self._dropped = 0  # since it was told last that deliveries are well
        self._logged_at = -REMIND
        for outcome in ("sent", "failed", "dropped"):
            SPANS.labels(outcome)  # told before there is one, so that the first is a rise
        self._thread = threading.Thread(target=self._work, name="traces", daemon=True)
        self._thread.start()

    def on_end(self, span: ReadableSpan) -> None:
        if span.context is None or not span.context.trace_flags.sampled:
            return
        if len(self._waiting) >= MOST_WAITING:
            SPANS.labels("dropped").inc()
            self._dropped += 1
            return
        self._waiting.append(span)
        if len(self._waiting) >= BATCH:
            self._wake.set()

    def shutdown(self) -> None:
        """Deliver what waits, for LAST seconds at most; what is left then is lost."""
        self._closing = True
        self._wake.set()
        self._thread.join(LAST)
        if self._waiting:
            log.warning("%d spans could not be delivered before the end", len(self._waiting))
            SPANS.labels("dropped").inc(len(self._waiting))
        self._exporter.shutdown()

    def _work(self) -> None:
        with suppress_instrumentation():  # deliveries have no traces of their own
            last = False
            while not last:
                last = self._closing  # what ends before it is set is delivered, too
                self._wake.wait(0 if last else PAUSE)
                self._wake.clear()
                while self._waiting:
                    self._deliver([plain(self._waiting.popleft()) for _ in range(min(BATCH, len(self._waiting)))])

    def _deliver(self, spans: list[ReadableSpan]) -> None:
        if self._exporter.export(spans) is SpanExportResult.SUCCESS:
            SPANS.labels("sent").inc(len(spans))
            self._tell_of_success()
            return
        SPANS.labels("failed").inc(len(spans))
        self._lost += len(spans)
        if self._is_due():
            reason = self._session.outcome
            log.error("traces do not reach %s: %s; requests go on without", self._endpoint, reason)

    def _tell_of_success(self) -> None:
        if self._lost:
            log.warning("traces reach %s again; %d spans were lost", self._endpoint, self._lost + self._dropped)
            self._lost, self._dropped, self._logged_at = 0, 0, -REMIND
        elif self._dropped and self._is_due():
            log.warning("%s takes traces too slowly; %d spans were dropped", self._endpoint, self._dropped)
            self._dropped = 0

    def _is_due(self) -> bool:
        """Return True if trouble is to be logged now; it is then not due again for a while."""
        if time.monotonic() - self._logged_at < REMIND:
            return False
        self._logged_at = time.monotonic()
        return True


class _Session(requests.Session):
    """Connections to the collector; `outcome` is how the last request ended."""

    def __init__(self) -> None:
        super().__init__()
        self.max_redirects = 0  # the target of a redirect must not get the headers
        self.outcome = "nothing could be sent"

    def request(self, *arguments: Any, **options: Any) -> requests.Response:
        try:
            answer = super().request(*arguments, **options)
        except requests.RequestException as error:
            self.outcome = type(error).__name__
            raise
        self.outcome = f"{answer.status_code} {answer.reason}"
        return answer


def plain(span: ReadableSpan) -> ReadableSpan:
    """The span without anything that might be secret: only attributes in SENT, no events (exceptions with their
    messages), no description of a status."""
    described = {
        key: value for key, value in (span.attributes or {}).items() if key in SENT or key.startswith("image_gateway.")
    }
    return ReadableSpan(
        name=span.name,
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes=described,
        kind=span.kind,
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )
