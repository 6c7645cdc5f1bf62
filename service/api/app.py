"""The API port: every resource, one line each."""

from __future__ import annotations

from aiohttp import web

from service.api.about import formats, presets
from service.api.auth import tokens
from service.api.context import CONTEXT, Context
from service.api.health import health, live
from service.api.images import delete_image, get_image, upload_image
from service.api.listing import list_images
from service.api.problems import problems


def api_app(context: Context) -> web.Application:
    app = web.Application(middlewares=[problems, tokens], client_max_size=0)
    app[CONTEXT] = context
    app.router.add_get("/images", list_images)
    app.router.add_get("/images/{name:.*}", get_image)
    app.router.add_post("/images/{name:.*}", upload_image)
    app.router.add_put("/images/{name:.*}", upload_image)
    app.router.add_delete("/images/{name:.*}", delete_image)
    app.router.add_get("/formats", formats)
    app.router.add_get("/presets", presets)
    app.router.add_get("/health/live", live)
    app.router.add_get("/health/ready", health)
    return app
