"""Set up OpenTelemetry traces if an endpoint is configured; otherwise no module of OpenTelemetry is loaded."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from importlib.util import find_spec
from typing import Protocol

from aiohttp import web

from gateway.config import ConfigError, Mistake
from gateway.settings import Config
from service.store.metered import StoreCall, untraced

NEEDED = (
    "opentelemetry.sdk.trace",
    "opentelemetry.exporter.otlp.proto.http",
    "opentelemetry.instrumentation.aiohttp_server",
    "opentelemetry.instrumentation.requests",
    "opentelemetry.instrumentation.threading",
)
NOT_INSTALLED = "traces need packages that are not installed: pip install 'image-gateway[tracing]'"


class Tracing(Protocol):
    """What the rest of the service needs to know of traces."""

    @property
    def store_call(self) -> StoreCall:
        """Makes the span of a call to the store."""

    def follow(self, app: web.Application, port: str) -> None:
        """Trace what this app answers on a port. To be called before others put their middlewares around it."""


class Untraced:
    """No traces."""

    store_call: StoreCall = staticmethod(untraced)

    def follow(self, app: web.Application, port: str) -> None:
        """Nothing is put in a request's way."""


@contextlib.asynccontextmanager
async def traced(config: Config, *, remote_store: bool) -> AsyncIterator[Tracing]:
    """Traces as they are configured, for the apps that are made within; at the end the last spans are delivered, or
    given up after some seconds. With a `remote_store` the HTTP calls to it are traced too. Raises ConfigError where the
    packages are missing."""
    if not config.tracing.endpoint:
        yield Untraced()
        return
    if not installed():
        raise ConfigError([Mistake(0, "the configuration", "tracing.endpoint", NOT_INSTALLED)])
    from service.tracing.spans import Spans  # noqa: PLC0415  # half a second of imports that only this needs

    spans = Spans(config, remote_store=remote_store)
    try:
        yield spans
    finally:
        await asyncio.to_thread(spans.close)


def installed() -> bool:
    """Whether all packages are there that traces need."""
    try:
        return all(find_spec(module) for module in NEEDED)
    except ModuleNotFoundError:
        return False
