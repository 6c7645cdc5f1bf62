"""List the formats and presets of this gateway."""

from __future__ import annotations

from aiohttp import web

from gateway.rules import CONTENT_TYPES
from service.api.http.context import CONTEXT


async def formats(request: web.Request) -> web.Response:
    """Formats in and out, as the configuration allows and this machine's ImageMagick can."""
    context = request.app[CONTEXT]
    can = context.engine.capabilities
    return web.json_response(
        {
            "in": [word for word in context.config.formats.accept if can.get(word, (False, False))[0]],
            "out": {word: CONTENT_TYPES[word] for word in context.rules.out},
            "default": context.rules.default_format,
            "negotiate": list(context.rules.negotiate),
            "quality": dict(context.rules.quality),
        }
    )


async def presets(request: web.Request) -> web.Response:
    """The presets and their recipes."""
    return web.json_response(dict(request.app[CONTEXT].rules.presets))
