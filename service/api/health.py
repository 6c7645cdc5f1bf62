"""Whether the service lives, and whether it can do its work."""

from __future__ import annotations

from aiohttp import web

from service.api.context import CONTEXT


async def live(_request: web.Request) -> web.Response:
    """It answers, so it lives."""
    return web.json_response({"status": "live"})


async def health(request: web.Request) -> web.Response:
    """Ready, or 503 with what is not."""
    engine = request.app[CONTEXT].engine
    checks = {"engine": "ready" if engine.pids else "no engine process"}
    ready = all(state == "ready" for state in checks.values())
    headers = {"Cache-Control": "no-store"}
    return web.json_response(
        {"status": "ready" if ready else "not ready", "checks": checks}, status=200 if ready else 503, headers=headers
    )
