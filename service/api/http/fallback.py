"""Show an image in place of an error where a browser expects an image: in the size that was asked for, with the error's
status. It is a middleware of the public port, and only where `public.fallback` names an image."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from aiohttp import web
from aiohttp.typedefs import Middleware

from gateway.equivalence import canonicalise
from gateway.error_page import VARY
from gateway.names import Name
from gateway.page_settings import Fallback
from gateway.recipes import Recipe
from gateway.rules import Rules
from service.api.http.context import CONTEXT, Context
from service.api.http.problems import Handler
from service.api.http.public_headers import tag_header
from service.engine.job import EngineError
from service.metrics import FALLBACKS
from service.store.errors import StoreError

ASKED = web.RequestKey("asked", Name)  # set by handlers that know which derived image is asked for
_SIZING = ("w", "h", "fit", "bg", "lossless", "q")  # operations that mean the same of every image

log = logging.getLogger(__name__)


def fallbacks(fallback: Fallback) -> Sequence[Middleware]:
    """The middleware as a list, empty where no image is configured."""
    if not fallback.image:
        return ()
    for status in fallback.statuses:
        FALLBACKS.labels(str(status))  # told before there is one, so that the first is a rise

    @web.middleware
    async def replace(request: web.Request, handler: Handler) -> web.StreamResponse:
        response = await handler(request)
        name = request.get(ASKED)
        if response.status not in fallback.statuses or name is None or name.is_meta:
            return response
        response.headers["Vary"] = VARY
        if not expects_image(request):
            return response
        shown = await _shown(request, name, response.status, fallback)
        return shown or response

    return (replace,)


def expects_image(request: web.Request) -> bool:
    """Whether the client shows the answer as an image: Fetch Metadata says it, or else the Accept header of `<img>`."""
    dest = request.headers.get("Sec-Fetch-Dest")
    if dest is not None:
        return dest.strip().lower() == "image"
    return request.headers.get("Accept", "").strip().lower().startswith("image/")


def recipe_of(asked: Name, rules: Rules) -> Recipe:
    """The recipe by which the fallback gets the asked size; what depends on the content of the asked image is left out.
    It is enlarged where it is smaller, and never seam-carved, which takes long."""
    recipe = {key: asked.recipe[key] for key in _SIZING if key in asked.recipe}
    if recipe.get("fit") == "liquid":
        recipe["fit"] = "cover"
    if "w" in recipe or "h" in recipe:
        recipe["up"] = "1"
    return canonicalise(recipe, asked.format, rules)


async def _shown(request: web.Request, asked: Name, status: int, fallback: Fallback) -> web.Response | None:
    """The answer with the fallback; None where there is none, which the log explains."""
    context = request.app[CONTEXT]
    if asked.image == fallback.image:
        return None
    try:
        content_type, body = await _made(context, asked, fallback.image, request.headers.get("Accept", ""))
    except (StoreError, EngineError, OSError) as error:
        log.warning("public.fallback.image, %s, cannot be shown: %s", fallback.image, error or type(error).__name__)
        return None
    FALLBACKS.labels(str(status)).inc()
    headers = {
        "Cache-Control": f"public, max-age={int(fallback.max_age)}",
        "Vary": VARY,
        "X-Content-Type-Options": "nosniff",
        **tag_header(context.config, asked.image),
    }
    return web.Response(
        status=status if fallback.keep_status else 200, body=body, content_type=content_type, headers=headers
    )


async def _made(context: Context, asked: Name, image: str, accept: str) -> tuple[str, bytes]:
    """The media type and the bytes of the fallback for an image that was asked for."""
    name = Name(image, recipe_of(asked, context.rules), asked.format)
    found, file = await context.derivatives.open(name, accept, lane="small")
    with file:
        return found.content_type, await asyncio.to_thread(file.read)
