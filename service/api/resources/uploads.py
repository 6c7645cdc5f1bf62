"""Uploads: `POST` and `PUT`, raw and multipart, one file or several."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from email.message import Message

from aiohttp import BodyPartReader, web
from multidict import CIMultiDict
from pydantic import Field

from gateway.errors import Refused
from gateway.names import check_image, split_path
from service.api.http import digests
from service.api.http.audit import audited
from service.api.http.body import Patience, Read, announced_size, begin, receive
from service.api.http.conditional import precondition
from service.api.http.context import CONTEXT, raw_target
from service.api.http.errors import DigestMismatch, TooMany
from service.api.http.multipart import FIELD, LARGEST_FIELD, Form
from service.api.http.problems import document, note
from service.api.http.validation import validated
from service.api.resources.stored_image import created, stored_image
from service.api.schema.models import Problem, StoredImage, UploadResult
from service.api.schema.request_models import Query, Truth
from service.engine.job import EngineError
from service.store.base import Precondition
from service.store.errors import StoreError
from service.uploads.errors import UploadError

MOST_FILES = 1000  # of one request
NO_FILE = f"the form has no field {FIELD} with a file"


class UploadQuery(Query):
    """The parameters of an upload."""

    replace: Truth = Field(False, description="whether an image of this name may be replaced")


@dataclass(frozen=True, slots=True)
class _File:
    """A file on its way: its name in the repository, its bytes, what its headers say of them. `complete` raises
    Refused where what follows shows that it did not come whole."""

    name: str
    read: Read
    said: digests.Expected
    complete: Callable[[], Awaitable[object]]


@validated(UploadQuery)
async def upload_image(request: web.Request, asked: UploadQuery) -> web.StreamResponse:
    """Store an image: the body itself, or the field `file` of a multipart form.

    A path that ends with a slash is a folder: the name comes from the file's own, and a form may hold several files,
    each with its own result. An existing name is a conflict unless replacing is asked for.
    """
    path, _ = raw_target(request)
    allowed = precondition(request.headers, replace=asked.replace)
    if request.content_type.startswith("multipart/"):
        several = _is_folder(path)
        return await (
            _upload_several(request, _folder(path), allowed) if several else _upload_one(request, path, allowed)
        )
    name = check_image(_folder(path) + _disposition_name(request) if _is_folder(path) else "/".join(split_path(path)))
    with audited(request, "upload", name):
        said = digests.expected(request.headers)
        context = request.app[CONTEXT]
        await context.uploads.early.foresee(name, allowed, announced_size(request))
        await begin(request, context.config.limits.upload)
        image = await _store(request, _File(name, request.content.readany, said, _nothing), allowed)
    return created(image)


async def _upload_one(request: web.Request, path: str, allowed: Precondition) -> web.Response:
    """A form for one name: it is read to its end before anything is stored."""
    context, name = request.app[CONTEXT], check_image("/".join(split_path(path)))
    with audited(request, "upload", name):
        await context.uploads.early.foresee(name, allowed, announced_size(request))
        await begin(request, context.config.limits.upload + LARGEST_FIELD)
        form = Form.of(request, context.config.limits.upload)
        part = await form.next()
        if part is None:
            raise Refused(400, NO_FILE)

        async def complete() -> None:
            if await form.peek():
                raise Refused(400, "the form has several files: post them to a folder, POST /images/DIR/")

        file = _File(name, form.reader(part), _said_of_part(request, part), complete)
        return created(await _store(request, file, allowed))


async def _upload_several(request: web.Request, folder: str, allowed: Precondition) -> web.Response:
    """A form for a folder: each file is stored when it is whole, and has its own result."""
    context = request.app[CONTEXT]
    results: list[UploadResult] = []
    failures: list[Exception] = []
    await begin(request, None)
    form = Form.of(request, context.config.limits.upload)
    while (part := await form.next()) is not None:
        if len(results) == MOST_FILES:
            raise TooMany(f"the form has more than {MOST_FILES} files; those before are stored")
        name = folder + (part.filename or "")
        try:
            name = check_image(folder + _leaf(part.filename))
            with audited(request, "upload", name):
                file = _File(name, form.reader(part), _said_of_part(request, part), form.peek)
                image = await _store(request, file, allowed)
            results.append(UploadResult(name=name, status=201, image=image))
        except (EngineError, StoreError, UploadError, Refused, DigestMismatch) as error:
            failures.append(error)
            described = Problem(**document(error))
            results.append(UploadResult(name=name, status=described.status, problem=described))
    if not results:
        raise Refused(400, NO_FILE)
    if len(results) == 1 and failures:
        raise failures[0]
    for failure in failures:
        note(failure)
    only = results[0].image if len(results) == 1 else None
    return created(only) if only else _many(results)


def _said_of_part(request: web.Request, part: BodyPartReader) -> digests.Expected:
    """What the part's own headers say of the file, and the request's where those say nothing."""
    headers = CIMultiDict(request.headers)
    headers.update(part.headers)
    return digests.expected(headers)


async def _store(request: web.Request, file: _File, allowed: Precondition) -> StoredImage:
    """Receive a file and store it; what the store then holds. After a failure nothing new is there."""
    context = request.app[CONTEXT]
    with context.uploads.receive() as upload:
        upload.also_hash(algorithm for _, algorithm, _ in file.said)
        await receive(file.read, upload, Patience(), request)
        if upload.size == 0:
            raise Refused(400, f"the upload is empty: send the image as the body, or in the multipart field {FIELD}")
        await file.complete()
        digests.verify(file.said, upload)
        return await stored_image(context, file.name, await context.uploads.store(file.name, upload, allowed))


async def _nothing() -> None:
    """HTTP itself says whether a body that is no form is whole."""


def _many(results: list[UploadResult]) -> web.Response:
    """201 where every file was stored, else 207."""
    status = 201 if all(result.image for result in results) else 207
    body = [result.model_dump(mode="json", exclude_none=True) for result in results]
    return web.json_response(body, status=status)


def _is_folder(path: str) -> bool:
    return path == "" or path.endswith("/")


def _folder(path: str) -> str:
    return "/".join(split_path(path))


def _leaf(filename: str | None) -> str:
    """The last segment of the name that a file has at its sender."""
    leaf = re.split(r"[/\\]", filename or "")[-1]
    if not leaf:
        raise Refused(
            400, "the file has no name of its own, and the path ends with a slash: give a name in one of them"
        )
    return leaf


def _disposition_name(request: web.Request) -> str:
    message = Message()
    message["Content-Disposition"] = request.headers.get("Content-Disposition", "")
    return _leaf(message.get_filename())
