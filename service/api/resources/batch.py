"""Answer for several images at once, a folder or the matches of a regular expression, as a zip or a JSON list."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from contextlib import aclosing
from typing import Any
from urllib.parse import urlencode

from aiohttp import web
from pydantic import BaseModel

from gateway.errors import Refused
from gateway.names import check_image, escape, split_path, split_query
from service.api.http.concurrency import in_order
from service.api.http.context import CONTEXT, Context, raw_target
from service.api.http.errors import TooMany
from service.api.http.problems import BEGUN
from service.api.http.sending import write
from service.api.resources.archive import Archive, Wanted, send_archive
from service.api.resources.image_query import ImageQuery
from service.api.resources.metadata import metadata_of
from service.api.resources.selection import Selection, compile_pattern
from service.api.resources.urls import problem_of, temporary_url, url_or_problem
from service.api.schema.models import MetadataResult, TemporaryUrlResult
from service.store.base import Page
from service.store.errors import NotFound

PAGE = 1000  # items of a JSON list
SCAN = 100_000  # names that one request may look at for a regular expression
AT_ONCE = 4  # images that are made ahead of the one that is sent


async def answer_with_several(request: web.Request, folder: str, asked: ImageQuery) -> web.StreamResponse:
    """The images below `folder` (a raw path) that the request means. Raises NotFound, TooMany, Refused."""
    context = request.app[CONTEXT]
    prefix = f"{check_image('/'.join(split_path(folder)))}/" if folder else ""
    pattern = None if asked.regex is None else compile_pattern(asked.regex)
    selection = Selection(prefix, pattern, marker=asked.marker)
    example = asked.name("image", context)  # whether the operations mean anything is known before any image is
    if asked.url or example.is_meta:
        page = await selection.first(context.store.originals, asked.limit or PAGE, SCAN)
        return await _send_list(request, page, _urls(request, asked) if asked.url else _metadata(context))
    if asked.marker or asked.limit:
        raise Refused(400, "marker, limit: an archive holds all; they are for meta and url")
    limits = context.config.limits
    page = await selection.first(context.store.originals, limits.archive_files)
    if page.marker is not None:
        raise TooMany(f"more than {limits.archive_files} images are meant: name a folder of them, or narrow the regex")
    if not page.objects:
        raise NotFound(prefix)
    if asked.original and sum(one.bytes for one in page.objects) > limits.archive_bytes:
        raise TooMany(
            f"the originals have more than {limits.archive_bytes} bytes: name a folder of them, or narrow the regex"
        )
    name = prefix.rstrip("/").rpartition("/")[2] or "images"
    return await send_archive(request, _archive(context, request, asked, page, prefix, name))


def _archive(context: Context, request: web.Request, asked: ImageQuery, page: Page, prefix: str, name: str) -> Archive:
    accept = request.headers.get("Accept", "")

    async def find(image: str) -> Wanted:
        if asked.original:
            original = await context.originals.get(image)
            return Wanted(image, image.removeprefix(prefix), original.path.open("rb"), original.stored.bytes)
        found = await context.derivatives.get(asked.name(escape(image), context), accept, lane="api")
        return Wanted(image, image.removeprefix(prefix), found.file.open(), found.file.bytes, found.name.format)

    return Archive(name, [one.name for one in page.objects], find, context.config.limits.archive_bytes, AT_ONCE)


Each = Callable[[str], Coroutine[Any, Any, BaseModel]]


def _urls(request: web.Request, asked: ImageQuery) -> Each:
    context, accept = request.app[CONTEXT], request.headers.get("Accept", "")

    async def one(name: str) -> TemporaryUrlResult:
        return await temporary_url(context, asked.name(escape(name), context), asked.of_url, accept)

    return lambda name: url_or_problem(name, one)


def _metadata(context: Context) -> Each:
    async def one(name: str) -> MetadataResult:
        try:
            return MetadataResult(name=name, metadata=await metadata_of(context, name))
        except Exception as error:
            return MetadataResult(name=name, problem=problem_of(error))

    return one


async def _send_list(request: web.Request, page: Page, each: Each) -> web.StreamResponse:
    """A JSON list, written while its items are made; its next page in the header `Link`."""
    headers = {"Content-Type": "application/json", "Cache-Control": "no-store"}
    if page.marker is not None:
        path, query = raw_target(request)
        following = urlencode({**split_query(query), "marker": page.marker})
        headers["Link"] = f'</images/{path}?{following}>; rel="next"'
    response = web.StreamResponse(headers=headers)
    await response.prepare(request)
    request[BEGUN] = True
    if request.method == "HEAD":
        return response
    before = "["
    async with aclosing(in_order([one.name for one in page.objects], each, AT_ONCE)) as results:
        async for result in results:
            await write(response, (before + result.model_dump_json(exclude_none=True)).encode())
            before = ",\n"
    await write(response, (before.replace(",\n", "") + "]").encode())
    await response.write_eof()
    return response
