"""List images: pages of JSON, or all of them as lines of JSON."""

from __future__ import annotations

import asyncio
import json
from urllib.parse import urlencode

from aiohttp import web
from pydantic import Field

from gateway.errors import Refused
from service.api.http.context import CONTEXT
from service.api.http.problems import BEGUN
from service.api.http.sending import write
from service.api.http.validation import validated
from service.api.resources.selection import Selection, compile_pattern
from service.api.schema.models import NDJSON, ListedImage, Listing, when
from service.api.schema.request_models import Query
from service.store.base import Page, StoredObject

MOST = 10_000
USUAL = 1000
SCAN = 100_000  # names that one page may look at for a regular expression


class ListingQuery(Query):
    """Which names, and how many at once."""

    prefix: str = Field("", description="only names that begin with this")
    delimiter: str = Field("", description="fold names after this, as `/` folds folders", max_length=16)
    regex: str | None = Field(None, description="only names in which this regular expression (RE2) finds itself")
    marker: str = Field("", description="only names after this one, in byte order")
    limit: int | None = Field(
        None, ge=1, le=MOST, description=f"names and folders of a page; {USUAL} for JSON, and no end for NDJSON"
    )


@validated(ListingQuery)
async def list_images(request: web.Request, asked: ListingQuery) -> web.StreamResponse:
    """List names in byte order, in pages; with `Accept: application/x-ndjson` all of them, an object a line."""
    if asked.regex is not None and asked.delimiter:
        raise Refused(400, "delimiter: folders have no names for a regex to find; leave one of them out")
    pattern = None if asked.regex is None else compile_pattern(asked.regex)
    selection = Selection(asked.prefix, pattern, asked.delimiter, asked.marker, typed=True)
    if NDJSON in request.headers.get("Accept", ""):
        return await _stream(request, selection, asked.limit)
    page = await selection.first(request.app[CONTEXT].store.originals, asked.limit or USUAL, SCAN)
    following = None
    if page.marker is not None:
        following = f"/images?{urlencode({**asked.model_dump(exclude_unset=True), 'marker': page.marker})}"
    # Ten thousand names take tens of milliseconds to write down: others are answered meanwhile.
    text = await asyncio.to_thread(
        lambda: Listing(
            images=[_listed(one) for one in page.objects], folders=list(page.folders), next=following
        ).model_dump_json()
    )
    headers = {"Link": f'<{following}>; rel="next"'} if following else None
    return web.json_response(text=text, headers=headers)


async def _stream(request: web.Request, selection: Selection, limit: int | None) -> web.StreamResponse:
    """Every image as a line, page by page; an answer that breaks off has no end (of its chunks)."""
    response = web.StreamResponse(headers={"Content-Type": NDJSON})
    left = limit
    async for page in selection.pages(request.app[CONTEXT].store.originals):
        if not response.prepared:  # a store that cannot be reached is a problem, not an answer that breaks off
            await response.prepare(request)
            request[BEGUN] = True
        lines = (await asyncio.to_thread(_lines, page))[:left]
        if request.method != "HEAD":
            await write(response, "".join(lines).encode())
        left = None if left is None else left - len(lines)
        if left == 0:
            break
    await response.write_eof()
    return response


def _lines(page: Page) -> list[str]:
    """A line for each image and folder, in the byte order of their names."""
    lines = {one.name: f"{_listed(one).model_dump_json()}\n" for one in page.objects}
    lines |= {folder: f"{json.dumps({'folder': folder})}\n" for folder in page.folders}
    return [lines[name] for name in sorted(lines, key=str.encode)]


def _listed(one: StoredObject) -> ListedImage:
    return ListedImage(
        name=one.name, bytes=one.bytes, etag=one.etag, content_type=one.content_type, modified=when(one.modified)
    )
