"""Answer the URLs of other image servers on both ports, with the images that their dialects name.

Behind nginx an answer carries the translation too, in a header that nginx alone sees: later requests of the URL are
answered without the service (nginx/lua/dialects.lua).
"""

from __future__ import annotations

import hashlib
import time
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import BinaryIO

from aiohttp import web

from gateway.errors import Refused
from gateway.holding import Shape
from gateway.ladder import on_ladder
from gateway.names import Name, escape
from gateway.rules import OPAQUE
from service.api.http.auth import require
from service.api.http.concurrency import in_order
from service.api.http.context import CONTEXT, Context
from service.api.http.errors import TooMany
from service.api.http.fallback import ASKED
from service.api.http.metrics import DIALECT_KINDS
from service.api.http.problems import BEGUN
from service.api.http.public_headers import tag_header
from service.api.http.sending import condition
from service.api.resources.derived import find_for_nginx, let_nginx_send, send_derived
from service.api.resources.dialect_refusal import cors, refusal
from service.api.resources.selection import Selection
from service.api.schema.operations import DIALECTS
from service.derivatives.derivatives import Derivative
from service.dialects.dialect import (
    Answer,
    Dialect,
    Document,
    ListingNeeded,
    OriginalNeeded,
    Redirect,
    Request,
    ShapeNeeded,
    Translation,
)
from service.dialects.fingerprint import fingerprint
from service.dialects.table import dialects_of
from service.engine.job import EngineError, Saturated
from service.store.errors import NotFound

INTERNAL = "/@dialect/"  # the internal location of nginx that serves files of the derived tree, and remembers
TRANSLATION = "X-Translation"
MOST_ATTEMPTS = 10  # of one request while the original is replaced, so that its shape may be another
AT_ONCE = 4  # images of a folder that are looked at together
METHODS = "GET, HEAD, OPTIONS"


def add_dialects(app: web.Application, context: Context, *, public: bool) -> None:
    """Route the prefixes of all configured dialects."""
    of_rules = fingerprint(context.config, context.rules)
    kinds = app[DIALECT_KINDS] = {}
    for dialect in dialects_of(context.config, context.rules if public else context.rules.of_api):
        for prefix in dialect.prefixes:
            resource = app.router.add_resource(f"{prefix}/{{name:(?s:.*)}}")
            kinds[resource.canonical] = DIALECTS[dialect.name]
            handle = DialectHandler(dialect, prefix, of_rules, public=public)
            for method in ("GET", "HEAD"):
                resource.add_route(method, handle)
            resource.add_route("OPTIONS", options)


async def options(request: web.Request) -> web.Response:
    """The methods that dialects have, also for a browser that asks before a request to another origin."""
    more = {"Allow": METHODS, "Access-Control-Allow-Methods": METHODS, "Access-Control-Max-Age": "86400"}
    return web.Response(status=204, headers={**cors(request), **more})


@dataclass(frozen=True)
class Meaning:
    """An answer, and the ETag of the original whose shape it depends on, empty where it depends on none."""

    answer: Answer
    etag: str = ""


class DialectHandler:
    """Answers GET and HEAD below one prefix of a dialect; `of_rules` names the rules to nginx."""

    def __init__(self, dialect: Dialect, prefix: str, of_rules: str, *, public: bool) -> None:
        self._dialect = dialect
        self._prefix = prefix
        self._of_rules = of_rules
        self._public = public

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        try:
            if not self._public:
                require(request, "read")
            return await self._answer(request)
        except web.HTTPException as error:
            if error.status < 400:
                raise
            return refusal(request, error, self._dialect, self._prefix)
        except Exception as error:
            if request.get(BEGUN):
                raise
            return refusal(request, error, self._dialect, self._prefix)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        asked = self._asked(request)
        for _ in range(MOST_ATTEMPTS):
            meaning = await self._meaning(request, asked)
            if isinstance(meaning.answer, Redirect):
                return _redirect(request, meaning.answer)
            if isinstance(meaning.answer, Document):
                return _document(request, meaning.answer)
            answered = await self._image(request, meaning.answer, meaning.etag)
            if answered is not None:
                return answered
        raise Saturated("the image is being replaced faster than it can be read")

    def _asked(self, request: web.Request) -> Request:
        path, _, query = request.raw_path.partition("?")
        if not path.startswith(f"{self._prefix}/"):
            raise Refused(400, f"the path must begin with {self._prefix}/, spelled so")
        return Request(
            prefix=self._prefix,
            path=path.removeprefix(f"{self._prefix}/"),
            query=query,
            accept=request.headers.get("Accept", ""),
            base=request.app[CONTEXT].config.public.base_url if self._public else str(request.url.origin()),
            now=time.time(),
            trusted=not self._public,
        )

    async def _meaning(self, request: web.Request, asked: Request) -> Meaning:
        read = self._dialect.read(asked)
        if isinstance(read, ListingNeeded):
            return Meaning(await _listed(request.app[CONTEXT], read))
        if not isinstance(read, ShapeNeeded | OriginalNeeded):
            return Meaning(read)
        request[ASKED] = Name(read.image, {}, "auto")  # as far as it is known, for a picture in place of an error
        marker = await request.app[CONTEXT].derivatives.marker(read.image)
        if isinstance(read, OriginalNeeded):
            return Meaning(read.answer(marker.shape, marker.base in OPAQUE), marker.etag)
        return Meaning(read.answer(marker.shape), marker.etag)

    async def _image(self, request: web.Request, meant: Translation, etag: str) -> web.StreamResponse | None:
        """The image; None where it was made of another original than the one with `etag`."""
        name, more = _until(meant), {"Link": meant.link} if meant.link else {}
        if self._public:
            name = replace(name, recipe=on_ladder(name.recipe, name.format, request.app[CONTEXT].rules))
            more |= tag_header(request.app[CONTEXT].config, name.image)
        request[ASKED] = name
        found, data = await self._find(request, name)
        if not _is_of(request, found, etag):
            if data:
                data.close()
            return None
        if data:
            return await send_derived(request, name, found, data, more)
        more[TRANSLATION] = f"{self._of_rules} {etag or '-'} {_target(name)}"
        return let_nginx_send(request, name, found, INTERNAL, more)

    async def _find(self, request: web.Request, name: Name) -> tuple[Derivative, BinaryIO | None]:
        if self._public:
            return await find_for_nginx(request, name)
        return await request.app[CONTEXT].derivatives.open(name, request.headers.get("Accept", ""), lane="api")


async def _listed(context: Context, read: ListingNeeded) -> Document:
    """The document about a folder; what is no image that can be read is left out. Raises NotFound, TooMany."""
    most = context.config.limits.archive_files
    page = await Selection(f"{read.folder}/").first(context.store.originals, most)
    if page.marker is not None:
        raise TooMany(f"the folder has more than {most} images (limits.archive_files)")
    if not page.objects:
        raise NotFound(read.folder)

    async def shape(image: str) -> tuple[str, Shape] | None:
        try:
            return image, (await context.derivatives.marker(image)).shape
        except (EngineError, NotFound):
            return None

    async with aclosing(in_order([one.name for one in page.objects], shape, AT_ONCE)) as found:
        return read.answer([one async for one in found if one is not None])


def _is_of(request: web.Request, found: Derivative, etag: str) -> bool:
    """Whether a derived image was made of the original with this ETag; of none in particular, every one is."""
    if not etag:
        return True
    if found.original is not None:
        return found.original == etag
    marker = request.app[CONTEXT].derivatives.noted(found.name.image)
    return marker is not None and marker.etag == etag


def _until(meant: Translation) -> Name:
    """The name with the end of the dialect's signature, which bounds how long it may be cached."""
    return meant.name if meant.until is None else replace(meant.name, signature={"exp": str(int(meant.until))})


def _target(name: Name) -> str:
    """The canonical request of a name, which nginx reads by the rules of all requests."""
    end = name.signature.get("exp")
    return f"/images/{escape(str(name))}" + (f"?exp={end}" if end else "")


def _redirect(request: web.Request, answer: Redirect) -> web.Response:
    return web.Response(status=answer.status, headers={"Location": answer.location, **cors(request)})


def _document(request: web.Request, answer: Document) -> web.Response:
    """The document with an ETag of its text and type, so that a browser that has it is answered 304."""
    digest = hashlib.sha256(answer.content_type.encode() + b"\n" + answer.body).hexdigest()[:32]
    headers = {"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff", **answer.headers, **cors(request)}
    headers["ETag"] = f'"{digest}"'
    status = condition(request.headers, headers["ETag"], "")
    if status == 412:
        raise web.HTTPPreconditionFailed
    if status == 304:
        return web.Response(status=304, headers=headers)
    return web.Response(body=answer.body, headers={**headers, "Content-Type": answer.content_type})
