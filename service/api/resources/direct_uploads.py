"""Uploads straight to the store: `POST /uploads` begins one, a PUT sends its bytes, `POST /uploads/ID` finishes it."""

from __future__ import annotations

import time

from aiohttp import web
from pydantic import Field

from gateway.names import check_image
from service.api.http.audit import audited
from service.api.http.body import Patience, begin, read_small, receive
from service.api.http.client_address import scheme_of
from service.api.http.conditional import precondition
from service.api.http.context import CONTEXT
from service.api.http.validation import validated
from service.api.resources.stored_image import created, stored_image
from service.api.resources.uploads import UploadQuery
from service.api.schema.models import DirectUpload
from service.api.schema.request_models import Body, ImageName
from service.store.errors import NotAsAnnounced
from service.store.incoming import size_of
from service.uploads.incoming import Incoming

LONGEST_BODY = 4096  # bytes that a client may send where none are needed


class AnnouncedUpload(Body):
    """An upload that is to be sent straight to the store."""

    name: ImageName = Field(description="the image's name; not escaped")
    bytes: int = Field(description="how many will be sent", ge=1, lt=10**15)
    sha256: str = Field(description="of them, in hex in small letters", pattern="^[0-9a-f]{64}$")
    replace: bool = Field(False, description="whether an image of this name may be replaced")


@validated(AnnouncedUpload)
async def begin_upload(request: web.Request, asked: AnnouncedUpload) -> web.StreamResponse:
    """Begin an upload whose bytes go straight to the store, by the temporary URL that this gives.

    Anyone may PUT to the URL until it expires. Nothing is under the name until the upload is finished.
    """
    context, name = request.app[CONTEXT], check_image(asked.name)
    with audited(request, "begin upload", name):
        begun = await context.direct.begin(name, asked.bytes, asked.sha256, replace=asked.replace)
    url = f"{scheme_of(request)}://{request.host}{begun.url.url}" if begun.url.url.startswith("/") else begun.url.url
    finish = f"/uploads/{begun.id}"
    answer = DirectUpload(
        id=begun.id,
        method="PUT",
        url=url,
        headers=dict(begun.url.headers),
        expires=begun.url.expires,
        finish=finish,
    )
    headers = {"Location": finish, "Cache-Control": "no-store"}
    return web.json_response(text=answer.model_dump_json(), status=201, headers=headers)


@validated(UploadQuery)
async def finish_upload(request: web.Request, asked: UploadQuery) -> web.StreamResponse:
    """Finish an upload whose bytes are there: they are verified, and stored under the name.

    What is sent to the URL from now on changes nothing. After a failure nothing is stored, and the bytes may be sent
    again until the URL expires. Any node can do it. The preconditions are those of an upload.
    """
    context = request.app[CONTEXT]
    announced = await context.direct.announced(request.match_info["id"])
    allowed = precondition(request.headers, replace=asked.replace or announced.replace)
    with audited(request, "upload", announced.name):
        await read_small(request, LONGEST_BODY)
        with context.uploads.receive() as upload:
            stored = await context.direct.finish(announced, upload, allowed)
            image = await stored_image(context, announced.name, stored)
    return created(image)


async def put_incoming(request: web.Request) -> web.StreamResponse:
    """Receive the bytes of an upload by its temporary URL, which is its own permission.

    It is here where the store is a directory; Swift receives them itself. They may be sent again until the URL expires
    or the upload is finished.
    """
    landing = request.app[CONTEXT].direct.incoming.landing
    if landing is None:
        raise web.HTTPNotFound
    path, _, query = request.raw_path.partition("?")
    name = await landing.admit(path, query, time.time())
    size = size_of(name)
    if request.content_length is not None and request.content_length != size:
        raise NotAsAnnounced(f"the body has {request.content_length} bytes, and {size} were announced")
    await begin(request, size)
    async with landing.receiving(name, size) as place:
        with place.open("wb") as file:
            upload = Incoming(place, size, file)
            await receive(request.content.readany, upload, Patience(), request)
        if upload.size != size:
            raise NotAsAnnounced(f"the body had {upload.size} bytes, and {size} were announced")
    return web.Response(status=201)
