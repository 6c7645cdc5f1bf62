"""The application on the unix socket for nginx: derived images, the health of the service, and nginx's counts."""

from __future__ import annotations

from aiohttp import web

from service.api.http.context import CONTEXT, Context
from service.api.http.fallback import fallbacks
from service.api.http.problems import problems
from service.api.http.public_rules import public_context
from service.api.resources.dialects import add_dialects
from service.api.routes import FRONT_HANDLERS
from service.api.schema.operations import FRONT


def front_app(context: Context) -> web.Application:
    context = public_context(context)
    app = web.Application(middlewares=[*fallbacks(context.config.public.fallback), problems])
    app[CONTEXT] = context
    for operation in FRONT:
        path, handler = operation.path.replace("{name}", "{name:(?s:.*)}"), FRONT_HANDLERS[operation.name]
        if operation.method == "GET":
            app.router.add_get(path, handler)
        else:
            app.router.add_route(operation.method, path, handler)
    add_dialects(app, context, public=True)
    return app
