"""The API port: a route for every operation, and for each path the methods that it has."""

from __future__ import annotations

from aiohttp import web

from service.api.http.audit import refusals
from service.api.http.auth import require_any, tokens
from service.api.http.body import expect
from service.api.http.context import CONTEXT, Context
from service.api.http.cross_site import own_pages, signed_puts
from service.api.http.problems import Handler, problems
from service.api.resources.dialects import add_dialects
from service.api.resources.warm import WARMING, Turn
from service.api.routes import HANDLERS
from service.api.schema.operation import Operation
from service.api.schema.operations import OPERATIONS


def api_app(context: Context) -> web.Application:
    app = web.Application(middlewares=[signed_puts, problems, refusals, own_pages, tokens], client_max_size=0)
    app[CONTEXT] = context
    app[WARMING] = turn = Turn()
    app.on_shutdown.append(turn.end)
    for operation in OPERATIONS:
        methods = ("GET", "HEAD") if operation.method == "GET" else (operation.method,)
        for method in methods:
            app.router.add_route(method, _pattern(operation.path), _allowed(operation), expect_handler=expect)
    for path in {operation.path for operation in OPERATIONS}:
        app.router.add_route("OPTIONS", _pattern(path), _options(path))
    add_dialects(app, context, public=False)
    return app


def _pattern(path: str) -> str:
    """The path as aiohttp matches it: a name may hold slashes, or be empty."""
    return path.replace("{name}", "{name:(?s:.*)}")


def _allowed(operation: Operation) -> Handler:
    """The operation, for clients with one of its scopes. Of several the handler may demand another."""
    answer = HANDLERS[operation.name]

    async def handle(request: web.Request) -> web.StreamResponse:
        if operation.scopes:
            require_any(request, *operation.scopes)
        return await answer(request)

    return handle


def _options(path: str) -> Handler:
    methods = {operation.method for operation in OPERATIONS if operation.path == path} | {"OPTIONS"}
    allow = ", ".join(sorted(methods | ({"HEAD"} if "GET" in methods else set())))

    async def handle(_request: web.Request) -> web.StreamResponse:
        return web.Response(status=204, headers={"Allow": allow})

    return handle
