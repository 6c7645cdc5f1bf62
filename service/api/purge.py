"""Purging: derived images go, originals stay. Whatever was removed comes back when it is asked for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing

from aiohttp import web
from pydantic import Field, model_validator

from gateway.names import check_image
from service.api.answers import Purged
from service.api.asking import Body, ImageName, asking
from service.api.audit import audited
from service.api.context import CONTEXT, Context
from service.api.selection import PAGE
from service.api.together import in_order
from service.store.base import NotFound

MOST = 1000  # names of one request
AT_ONCE = 8  # deletions in the derived container


class PurgeBody(Body):
    """Whose derived images shall go: exactly one of these."""

    names: list[ImageName] | None = Field(None, min_length=1, max_length=MOST, description="these images")
    prefix: str | None = Field(None, min_length=1, description="all images whose names begin with this")
    all: bool = Field(False, description="all images")

    @model_validator(mode="after")
    def _exactly_one(self) -> PurgeBody:
        if (self.names is not None) + (self.prefix is not None) + self.all != 1:
            raise ValueError("must have exactly one of names, prefix and all: true")
        return self


@asking(PurgeBody)
async def purge(request: web.Request, asked: PurgeBody) -> web.StreamResponse:
    """Remove the derived images of some images, or of all, from this node and from the derived container."""
    context = request.app[CONTEXT]
    if asked.names is None:
        prefix = asked.prefix or ""
        with audited(request, "purge", f"{prefix}*"):
            purged = await _purge_prefix(context, prefix)
    else:
        for name in asked.names:
            check_image(name)
        purged = Purged(images=0, files=0, objects=0)
        for name in asked.names:
            with audited(request, "purge", name):
                purged = _sum(purged, await _purge_image(context, name))
    return web.json_response(text=purged.model_dump_json())


async def _purge_image(context: Context, image: str) -> Purged:
    files = context.derivatives.forget(image)
    objects = await _delete(context, f"{image}/@")
    return Purged(images=1, files=files + context.derivatives.forget(image), objects=objects)


async def _purge_prefix(context: Context, prefix: str) -> Purged:
    """Forgotten before and after: nothing that was taken from the derived container meanwhile may stay."""
    images = files = 0
    async for image in _images(context, prefix):
        images += 1
        files += context.derivatives.forget(image)
    objects = await _delete(context, prefix)
    async for image in _images(context, prefix):
        files += context.derivatives.forget(image)
    return Purged(images=images, files=files, objects=objects)


async def _images(context: Context, prefix: str) -> AsyncIterator[str]:
    marker: str | None = ""
    while marker is not None:
        page = await context.store.originals.list(prefix=prefix, marker=marker, limit=PAGE)
        marker = page.marker
        for one in page.objects:
            yield one.name


async def _delete(context: Context, prefix: str) -> int:
    """Empty the derived container of what begins with `prefix`; the number of objects."""
    removed = 0
    marker: str | None = ""
    while marker is not None:
        page = await context.store.derived.list(prefix=prefix, marker=marker, limit=PAGE)
        marker = page.marker
        names = [kept.name for kept in page.objects]
        async with aclosing(in_order(names, lambda name: _delete_one(context, name), AT_ONCE)) as done:
            removed += sum([gone async for gone in done])
    return removed


async def _delete_one(context: Context, name: str) -> bool:
    try:
        await context.store.derived.delete(name)
    except NotFound:
        return False
    return True


def _sum(one: Purged, other: Purged) -> Purged:
    return Purged(images=one.images + other.images, files=one.files + other.files, objects=one.objects + other.objects)
