"""What nginx asks over the unix socket: derived images and the health of the service. Nothing else is public."""

from __future__ import annotations

from aiohttp import web

from service.api.context import CONTEXT, Context
from service.api.derived import answer_with_redirect
from service.api.health import health
from service.api.problems import problems


def front_app(context: Context) -> web.Application:
    app = web.Application(middlewares=[problems])
    app[CONTEXT] = context
    app.router.add_get("/images/{name:.*}", answer_with_redirect)
    app.router.add_get("/health", health)
    return app
