"""One image by its name, or several by their folder: fetch, delete."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from email.utils import formatdate
from pathlib import PurePosixPath

from aiohttp import web
from pydantic import Field

from gateway.errors import Refused
from gateway.names import Name, check_image, split_path
from gateway.rules import ORIGINAL_TYPES
from gateway.save_as import disposition
from service.api.http.audit import audited
from service.api.http.auth import require
from service.api.http.conditional import precondition
from service.api.http.context import CONTEXT, raw_target
from service.api.http.errors import Unmet
from service.api.http.sending import File, condition, send
from service.api.http.validation import validated
from service.api.resources.batch import answer_with_several
from service.api.resources.derived import answer_with_file
from service.api.resources.image_query import ImageQuery
from service.api.resources.redirect import is_large, redirect
from service.api.resources.srcset import is_srcset, srcset_of_api
from service.api.resources.urls import temporary_url
from service.api.schema.request_models import Query, Truth
from service.api.schema.takedown_models import Receipt
from service.outbox.outbox import Change
from service.store.base import StoredObject
from service.uploads.uploads import CHECKSUM

_SHA256 = re.compile(r"[0-9A-Fa-f]{64}")


@validated(ImageQuery)
async def get_image(request: web.Request, asked: ImageQuery) -> web.StreamResponse:
    """A derived image, its metadata, its temporary URL, or the untouched original.

    With a folder (a path that ends with a slash) or with `regex` it is several images: a zip, or with `meta` or `url`
    a JSON list.
    """
    path, _ = raw_target(request)
    context = request.app[CONTEXT]
    require(request, "url" if asked.url else "read")
    if is_srcset(path):
        return await srcset_of_api(request)
    if path == "" or path.endswith("/") or asked.regex is not None:
        return await answer_with_several(request, path.rstrip("/"), asked)
    name = asked.name(path, context)
    if asked.url:
        found = await temporary_url(context, name, asked.of_url, request.headers.get("Accept", ""))
        return web.json_response(text=found.model_dump_json(exclude_none=True), headers={"Cache-Control": "no-store"})
    if asked.original:
        return await _send_original(request, name)
    return await answer_with_file(request, name)


class DeleteQuery(Query):
    """What a deletion answers with."""

    receipt: Truth = Field(False, description="what was removed where, also of an image that is gone already")


@validated(DeleteQuery)
async def delete_image(request: web.Request, asked: DeleteQuery) -> web.StreamResponse:
    """Delete an image with all that was derived of it; `NAME/@` deletes only what was derived."""
    path, _ = raw_target(request)
    context = request.app[CONTEXT]
    if path.endswith("/@"):
        if asked.receipt:
            raise Refused(400, "receipt: must be of an image; POST /purge counts what it removes of derived images")
        name = image_name(path.removesuffix("/@"))
        with audited(request, "purge", name):
            telling = context.outbox.telling(Change("purged", (name,)))
            async with telling, context.tasks.journal.change("purge", name):
                await context.derivatives.forget_everywhere(name)
        return web.Response(status=204)
    name = image_name(path)
    expected = precondition(request.headers, replace=True)
    with audited(request, "delete", name):
        if not asked.receipt:
            await context.uploads.delete(name, expected)
            return web.Response(status=204)
        done = await context.uploads.take_down(name, expected)
    receipt = Receipt(name=name, original=done.original, files=done.files, objects=done.objects, entry=done.entry)
    return web.json_response(text=receipt.model_dump_json(), headers={"Cache-Control": "no-store"})


def image_name(path: str) -> str:
    """The checked name in a raw path. Raises Refused."""
    return check_image("/".join(split_path(path)))


async def _send_original(request: web.Request, asked: Name) -> web.StreamResponse:
    """The bytes as they were uploaded; what needs no bytes (HEAD, 304, 412) fetches none."""
    originals, name = request.app[CONTEXT].originals, asked.image
    stored = await originals.stat(name)
    headers = {"ETag": f'"{stored.etag}"', "Last-Modified": formatdate(int(stored.modified), usegmt=True)}
    headers |= _original_headers(stored, asked)
    status = condition(request.headers, headers["ETag"], headers["Last-Modified"])
    if status == 412:
        raise Unmet("the image is not the one that the request's conditions name")
    if status == 304:
        return web.Response(status=304, headers={key: headers[key] for key in ("ETag", "Last-Modified")})
    if request.method == "HEAD" and "Range" not in request.headers:
        return web.StreamResponse(headers={**headers, "Accept-Ranges": "bytes", "Content-Length": str(stored.bytes)})
    if is_large(request, stored.bytes):
        redirected = await redirect(request, request.app[CONTEXT].store.originals, name, asked, _extension(stored))
        if redirected:
            return redirected
    original = await originals.get(name)
    stored = original.stored
    body, remembered = request.app[CONTEXT].tasks.disk.memory.open_original(stored, original.path)
    headers = {**_original_headers(stored, asked), "X-Cache": "HIT-MEMORY" if remembered else "HIT-DISK"}
    return await send(request, File(body, stored.bytes, stored.etag, int(stored.modified), headers))


def _extension(stored: StoredObject) -> str:
    """The extension of an original: that of its format, else what its name ends in."""
    word = next((word for word, kind in ORIGINAL_TYPES.items() if kind == stored.content_type), None)
    return word or PurePosixPath(stored.name).suffix.removeprefix(".") or "bin"


def _original_headers(stored: StoredObject, asked: Name) -> Mapping[str, str]:
    headers = {
        "Content-Type": stored.content_type,
        "Cache-Control": "private, no-cache",
        "X-Content-Type-Options": "nosniff",
    }
    if saved := disposition(asked.image, _extension(stored), asked.signature):
        headers["Content-Disposition"] = saved
    checksum = stored.metadata.get(CHECKSUM, "")
    if _SHA256.fullmatch(checksum):  # others may write metadata too
        headers["Repr-Digest"] = f"sha-256=:{base64.b64encode(bytes.fromhex(checksum)).decode()}:"
    return headers
