"""Temporary URLs: the image is made and stored before its URL is given, for one image or a batch."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from aiohttp import web
from pydantic import Field

from gateway.names import Name, escape, parse
from service.api.http.auth import require
from service.api.http.concurrency import in_order
from service.api.http.context import CONTEXT, Context
from service.api.http.problems import answer
from service.api.http.validation import validated
from service.api.schema.models import Problem, TemporaryUrlResult
from service.api.schema.request_models import Body, ImageName, Lifetime
from service.store.base import TemporaryUrl

MOST = 1000  # names of one batch
AT_ONCE = 8  # of them


@dataclass(frozen=True, slots=True)
class UrlOptions:
    """How a temporary URL shall be: of the original or not, seconds it holds, what a browser does with it."""

    original: bool = False
    lifetime: int | None = None
    filename: str | None = None
    inline: bool = False


class UrlsBody(Body):
    """A batch of images of which temporary URLs are wanted."""

    names: list[ImageName] = Field(
        min_length=1, max_length=MOST, description="images, or derived names such as cat.jpg/@w=300.webp; not escaped"
    )
    original: bool = Field(False, description="URLs of the untouched originals")
    lifetime: Lifetime | None = Field(None, description="for how long they shall hold: seconds, or a time such as 1h")
    inline: bool = Field(False, description="whether a browser shows what they give, or saves it")


@validated(UrlsBody)
async def make_urls(request: web.Request, asked: UrlsBody) -> web.StreamResponse:
    """Temporary URLs for many images; each has its own result, in the order of the request."""
    require(request, "url")
    context, accept = request.app[CONTEXT], request.headers.get("Accept", "")
    options = UrlOptions(asked.original, asked.lifetime, None, asked.inline)

    async def one(name: str) -> TemporaryUrlResult:
        return await temporary_url(context, parse(escape(name), "", context.rules.of_api), options, accept)

    results = [result async for result in in_order(asked.names, lambda name: url_or_problem(name, one), AT_ONCE)]
    body = [result.model_dump(mode="json", exclude_none=True) for result in results]
    return web.json_response(body, headers={"Cache-Control": "no-store"})


async def url_or_problem(
    name: str, make: Callable[[str], Coroutine[Any, Any, TemporaryUrlResult]]
) -> TemporaryUrlResult:
    """What `make` makes of a name; a failure is a result too."""
    try:
        return (await make(name)).model_copy(update={"name": name})
    except Exception as error:
        return TemporaryUrlResult(name=name, problem=problem_of(error))


def problem_of(error: Exception) -> Problem:
    """An error as one of many results, logged as if it were the only one."""
    body = answer(error).body
    return Problem.model_validate_json(body if isinstance(body, bytes) else b"")


async def temporary_url(context: Context, name: Name, options: UrlOptions, accept: str) -> TemporaryUrlResult:
    """The URL of a derived image or its original, which the store holds before this returns.

    Raises NoTemporaryUrls, NotFound, Unavailable, every EngineError.
    """
    store = context.store
    lifetime = min(options.lifetime or store.temporary_urls.default, store.temporary_urls.longest)
    if options.original:
        await context.originals.stat(name.image)
        filename = options.filename or PurePosixPath(name.image).name
        made = await store.originals.temporary_url(
            name.image, lifetime=lifetime, filename=filename, inline=options.inline
        )
        return _result(name, name.image, made)
    decided = name if name.decided else await context.derivatives.decide(name, accept, lane="api")
    stored = (await context.derivatives.persist(decided, lane="api")).name
    filename = options.filename or f"{PurePosixPath(stored.image).stem}.{stored.format}"
    made = await store.derived.temporary_url(str(stored), lifetime=lifetime, filename=filename, inline=options.inline)
    return _result(name, str(stored), made)


def _result(asked: Name, stored: str, made: TemporaryUrl) -> TemporaryUrlResult:
    return TemporaryUrlResult(name=asked.image, object=stored, url=made.url, expires=made.expires)
