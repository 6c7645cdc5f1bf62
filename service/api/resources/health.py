"""Whether the service lives, and whether it and what it depends on can do their work. Asked of nothing but memory: of
the store what its last answer was, which is no older than `cache.revalidate`."""

from __future__ import annotations

from aiohttp import web

from service.api.http.context import CONTEXT, Context
from service.api.http.metrics import METRICS
from service.store.metered import MeteredStore

FINE = "ready"
NO_STORE = {"Cache-Control": "no-store"}


async def live(_request: web.Request) -> web.Response:
    """It answers, so it lives."""
    return web.json_response({"status": "live"}, headers=NO_STORE)


async def health(request: web.Request) -> web.Response:
    """`/health/ready`: ready, or 503 with what is not, and why."""
    context = request.app[CONTEXT]
    store = request.app[METRICS].store
    return _answer(
        {"engine": _engine(context), "store": _store(store), "disk": _disk(context), "caches": _caches(context)}
    )


async def serving(request: web.Request) -> web.Response:
    """`/health` behind nginx, for balancers: whether this node can make images. A store that is down is no reason to
    leave it out: it still serves what it has, and all other nodes would have to be left out with it."""
    return _answer({"engine": _engine(request.app[CONTEXT])})


def _answer(checks: dict[str, str]) -> web.Response:
    ready = all(state == FINE for state in checks.values())
    body = {"status": "ready" if ready else "not ready", "checks": checks}
    return web.json_response(body, status=200 if ready else 503, headers=NO_STORE)


def _engine(context: Context) -> str:
    return FINE if context.engine.can_work else "no engine process can be started"


def _store(store: MeteredStore) -> str:
    if store.breaker and store.breaker.state != "closed":
        return "the store does not answer; it is tried again every few seconds"
    return store.trouble or FINE


def _disk(context: Context) -> str:
    return (
        "the caches' disk fails; images are answered without being stored" if context.tasks.disk.work.troubled else FINE
    )


def _caches(context: Context) -> str:
    failing = context.tasks.failing
    return f"failed lately: {', '.join(failing)}; the log says why, and it is tried again" if failing else FINE
