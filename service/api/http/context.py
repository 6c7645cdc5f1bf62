"""The parts of the service that handlers use, and how a handler reads a request's name."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from gateway.errors import Refused
from gateway.rules import Rules
from gateway.settings import Config
from service.derivatives.derivatives import Derivatives
from service.engine.pool.pool import EnginePool
from service.maintenance.tasks import Tasks
from service.originals.originals import Originals
from service.outbox.outbox import Outbox
from service.store.base import Store
from service.uploads.direct import DirectUploads
from service.uploads.uploads import Uploads

PREFIX = "/images/"


@dataclass(frozen=True, slots=True)
class Context:
    """The parts of the running service."""

    config: Config
    rules: Rules
    store: Store
    originals: Originals
    derivatives: Derivatives
    uploads: Uploads
    engine: EnginePool
    tasks: Tasks
    outbox: Outbox
    direct: DirectUploads


CONTEXT = web.AppKey("context", Context)


def raw_target(request: web.Request) -> tuple[str, str]:
    """The raw path after `/images/` and the raw query, as they came. Raises Refused where the prefix is spelled
    in another way."""
    path, _, query = request.raw_path.partition("?")
    if not path.startswith(PREFIX):
        raise Refused(400, "the path must begin with /images/, spelled so")
    return path.removeprefix(PREFIX), query
