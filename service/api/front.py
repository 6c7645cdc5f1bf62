"""What nginx asks over the unix socket: derived images and the health of the service; and what it tells, its counts."""

from __future__ import annotations

from aiohttp import web

from service.api.http.context import CONTEXT, Context
from service.api.http.metrics import take_counts
from service.api.http.problems import problems
from service.api.resources.derived import answer_with_redirect
from service.api.resources.health import serving


def front_app(context: Context) -> web.Application:
    app = web.Application(middlewares=[problems])
    app[CONTEXT] = context
    app.router.add_get("/images/{name:(?s:.*)}", answer_with_redirect)
    app.router.add_get("/health", serving)
    app.router.add_post("/counts", take_counts)
    return app
