"""Answer with a derived image: its bytes on the API port, X-Accel-Redirect behind nginx."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from typing import BinaryIO

from aiohttp import web

from gateway import freshness
from gateway.access import authorise
from gateway.names import Name, escape, parse
from gateway.save_as import disposition
from service.api.http.context import CONTEXT, Context, raw_target
from service.api.http.fallback import ASKED
from service.api.http.public_headers import public_headers
from service.api.http.sending import File, send
from service.api.resources.redirect import is_large, redirect
from service.api.resources.srcset import is_srcset, srcset_of_front
from service.derivatives.derivatives import Derivative
from service.engine.job import EngineError
from service.store.errors import StoreError

INTERNAL = "/@derived/"  # the internal location of nginx that serves files of the derived tree
BYTES_ASKED = "X-Answer-Bytes"  # of a request by nginx, which did not find the file that the last answer named

log = logging.getLogger(__name__)


async def answer_with_file(request: web.Request, name: Name) -> web.StreamResponse:
    """`GET /images/NAME…` on the API port: the bytes themselves."""
    await _prepare(request, name)
    context = request.app[CONTEXT]
    found, data = await context.derivatives.open(name, request.headers.get("Accept", ""), lane="api")
    if is_large(request, found.file.bytes):
        redirected = await _redirect(request, name, found)
        if redirected:
            data.close()
            return redirected
    return await send_derived(request, name, found, data)


async def _redirect(request: web.Request, name: Name, found: Derivative) -> web.Response | None:
    """To the derived container, which has it before this returns; None where the store cannot do it now."""
    context = request.app[CONTEXT]
    try:
        stored = await context.derivatives.persist(found.name, lane="api")
    except (StoreError, EngineError, OSError) as error:
        log.warning("no redirect for %s: %s", found.name, error)
        return None
    return await redirect(request, context.store.derived, str(stored.name), name, found.name.format)


async def answer_with_redirect(request: web.Request) -> web.StreamResponse:
    """The same behind nginx, which sends the file; where it was evicted meanwhile, nginx asks for the bytes."""
    context = request.app[CONTEXT]
    if is_srcset(request.raw_path.partition("?")[0]):
        return await srcset_of_front(request)
    rules = context.rules
    name = parse(*raw_target(request), rules)
    authorise(name, rules, time.time())
    request[ASKED] = name
    await _prepare(request, name)
    found, data = await find_for_nginx(request, name)
    more = public_headers(request.app[CONTEXT].config, name)
    if data:
        return await send_derived(request, name, found, data, more)
    return let_nginx_send(request, name, found, INTERNAL, more)


async def find_for_nginx(request: web.Request, name: Name) -> tuple[Derivative, BinaryIO | None]:
    """The image, with its bytes where nginx cannot send the file: no disk took it, or nginx did not find it."""
    derivatives, accept = request.app[CONTEXT].derivatives, request.headers.get("Accept", "")
    if BYTES_ASKED in request.headers:
        return await derivatives.open(name, accept, lane="small")
    found = await derivatives.get(name, accept, lane="small")
    return found, found.file.open() if found.file.relative is None else None


def let_nginx_send(
    request: web.Request, name: Name, found: Derivative, location: str, more: Mapping[str, str]
) -> web.Response:
    """The path of a derived image, which was asked for by `name`, in a location of nginx; with `more` headers."""
    headers = {**derived_headers(request.app[CONTEXT], name, found), **more}
    headers["X-Accel-Redirect"] = location + escape(found.file.relative or "")
    return web.Response(headers=headers, content_type=found.content_type)


async def send_derived(
    request: web.Request, name: Name, found: Derivative, data: BinaryIO, more: Mapping[str, str] | None = None
) -> web.StreamResponse:
    """The bytes of a derived image, which was asked for by `name`, with `more` headers; closes `data`."""
    headers = {**derived_headers(request.app[CONTEXT], name, found), "Content-Type": found.content_type, **(more or {})}
    return await send(request, File(data, found.file.bytes, found.file.etag, found.file.modified, headers))


def derived_headers(context: Context, name: Name, found: Derivative) -> dict[str, str]:
    """What every answer with a derived image bears on both ports; `name` is what was asked for."""
    public = context.config.public
    headers = {"X-Cache": found.level, "Cache-Control": cache_control(context, name, found)}
    if public.cors:
        headers["Access-Control-Allow-Origin"] = public.cors
    if name.format == "auto":
        headers["Vary"] = "Accept"
    if saved := disposition(name.image, found.name.format, name.signature):
        headers["Content-Disposition"] = saved
    return headers


def cache_control(context: Context, name: Name, found: Derivative) -> str:
    """As configured; for ever where the URL carries the version of the original that is there, and never ends."""
    version, stored = name.signature.get("v"), context.originals.known(name.image)
    current = stored is not None and version == stored.etag and found.original in (None, version)
    return freshness.cache_control(name, context.rules, time.time(), current=current, ends=found.ends)


async def _prepare(request: web.Request, name: Name) -> None:
    """See that a link with a version finds at least that version, if the store can tell. Raises NotFound."""
    version = name.signature.get("v")
    if version is not None:
        await request.app[CONTEXT].originals.expect(name.image, version)
