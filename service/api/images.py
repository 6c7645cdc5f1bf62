"""One image by its name: upload, fetch, delete."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from aiohttp import BodyPartReader, web

from gateway.errors import Refused
from gateway.names import check_image, escape, split_path, split_query
from service.api.context import CONTEXT, Context, raw_target
from service.api.derived import answer_with_file
from service.api.sending import File, send
from service.uploads import Incoming, Stored, pour

CHUNK = 256 * 1024
FIELD = "file"


async def get_image(request: web.Request) -> web.StreamResponse:
    """A derived image; with `original=true` the untouched original."""
    path, query = raw_target(request)
    parameters = split_query(query)
    if "original" in parameters and _truth(parameters, "original"):
        return await _send_original(request, image_name(path))
    return await answer_with_file(request)


async def upload_image(request: web.Request) -> web.StreamResponse:
    """`POST` multipart (field `file`) or raw, `PUT` raw: 201 with what was stored."""
    path, query = raw_target(request)
    parameters = split_query(query)
    context, name = request.app[CONTEXT], image_name(path)
    if_match = request.headers.get("If-Match")
    etag = None if if_match in (None, "*") else str(if_match).strip().strip('"')
    replace = _truth(parameters, "replace") or if_match is not None
    with context.uploads.receive() as upload:
        await pour(_body(request), upload)
        if upload.size == 0:
            raise Refused(400, f"the upload is empty: send the image as the body, or in the multipart field {FIELD}")
        stored = await context.uploads.store(name, upload, replace=replace, if_match=etag)
        return _created(context, name, stored, upload)


async def delete_image(request: web.Request) -> web.StreamResponse:
    """204; everything derived of the image goes too. `NAME/@` deletes only that."""
    path, _ = raw_target(request)
    context = request.app[CONTEXT]
    if path.endswith("/@"):
        await context.derivatives.forget_everywhere(image_name(path.removesuffix("/@")))
        return web.Response(status=204)
    if_match = request.headers.get("If-Match")
    etag = None if if_match in (None, "*") else str(if_match).strip().strip('"')
    await context.uploads.delete(image_name(path), if_match=etag)
    return web.Response(status=204)


def image_name(path: str) -> str:
    """The checked name in a raw path. Raises Refused."""
    return check_image("/".join(split_path(path)))


async def _send_original(request: web.Request, name: str) -> web.StreamResponse:
    original = await request.app[CONTEXT].originals.get(name)
    stored = original.stored
    headers = {"Content-Type": stored.content_type, "Cache-Control": "private, no-cache"}
    return await send(request, File(original.path, stored.bytes, stored.etag, int(stored.modified), headers))


def _created(context: Context, name: str, stored: Stored, upload: Incoming) -> web.Response:
    header = stored.header
    body: dict[str, Any] = {
        "name": name,
        "bytes": upload.size,
        "etag": stored.object.etag,
        "md5": stored.md5,
        "sha256": upload.sha256,
        "format": header.format,
        "url": f"{context.config.public.url}/images/{escape(name)}?v={stored.object.etag}",
    }
    headers = {"Location": f"/images/{escape(name)}", "ETag": f'"{stored.object.etag}"'}
    return web.json_response(body, status=201, headers=headers)


def _truth(parameters: dict[str, str], key: str) -> bool:
    text = parameters.get(key, "false").lower()
    if text not in ("true", "false", "1", "0"):
        raise Refused(400, f"{key}: must be true or false")
    return text in ("true", "1")


async def _body(request: web.Request) -> AsyncIterator[bytes]:
    """The image's bytes, from the body or from the multipart field."""
    if not request.content_type.startswith("multipart/"):
        async for chunk in request.content.iter_chunked(CHUNK):
            yield chunk
        return
    async for part in await request.multipart():
        if isinstance(part, BodyPartReader) and part.name == FIELD:
            while chunk := await part.read_chunk(CHUNK):
                yield chunk
            return
    raise Refused(400, f"the multipart body has no field {FIELD}")
