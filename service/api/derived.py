"""Derived images as answers: the bytes on the API port, X-Accel-Redirect behind nginx."""

from __future__ import annotations

import time

from aiohttp import web

from gateway.access import authorise
from gateway.names import Name, escape, parse
from service.api.context import CONTEXT, Context, raw_target
from service.api.problems import VARIES
from service.api.sending import File, send
from service.derivatives import Derivative

INTERNAL = "/@derived/"  # the internal location of nginx that serves files of the derived tree
IMMUTABLE = "public, max-age=31536000, immutable"


async def answer_with_file(request: web.Request) -> web.StreamResponse:
    """`GET /images/NAME…` on the API port: the bytes themselves."""
    context, name, found = await _find(request)
    headers = {**derived_headers(context, name, found), "Content-Type": found.content_type}
    file = found.file
    return await send(request, File(file.path, file.bytes, file.etag, file.modified, headers))


async def answer_with_redirect(request: web.Request) -> web.StreamResponse:
    """The same behind nginx, which sends the file; where it was evicted meanwhile, nginx asks again."""
    context, name, found = await _find(request, public=True)
    headers = derived_headers(context, name, found)
    headers["X-Accel-Redirect"] = INTERNAL + escape(found.file.relative)
    return web.Response(headers=headers, content_type=found.content_type)


def derived_headers(context: Context, name: Name, found: Derivative) -> dict[str, str]:
    """What every answer with a derived image bears on both ports; `name` is what was asked for."""
    public = context.config.public
    headers = {"X-Cache": found.level, "Cache-Control": cache_control(context, name)}
    if public.cors:
        headers["Access-Control-Allow-Origin"] = public.cors
    if name.format == "auto":
        headers["Vary"] = "Accept"
    return headers


def cache_control(context: Context, name: Name) -> str:
    """For ever where the URL carries the version of the original that is there, else as configured."""
    version, stored = name.signature.get("v"), context.originals.known(name.image)
    if version and stored and version == stored.etag:
        return IMMUTABLE
    return f"public, max-age={int(context.config.public.max_age)}"


async def _find(request: web.Request, *, public: bool = False) -> tuple[Context, Name, Derivative]:
    context = request.app[CONTEXT]
    name = parse(*raw_target(request), context.rules)
    if name.format == "auto":
        request[VARIES] = True
    if public:
        authorise(name, context.rules, time.time())
    version = name.signature.get("v")
    if version is not None:
        await context.originals.expect(name.image, version)
    return context, name, await context.derivatives.get(name, request.headers.get("Accept", ""))
