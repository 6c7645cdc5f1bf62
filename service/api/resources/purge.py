"""Purging: derived images go, originals stay. Whatever was removed comes back when it is asked for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing

from aiohttp import web
from pydantic import Field, model_validator

from gateway.names import check_image
from service.api.http.audit import audited
from service.api.http.concurrency import in_order
from service.api.http.context import CONTEXT, Context
from service.api.http.validation import validated
from service.api.resources.selection import PAGE
from service.api.schema.models import Purged
from service.api.schema.request_models import Body, ImageName
from service.cache.images import cached_images
from service.cache.walk import background, batches
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


@validated(PurgeBody)
async def purge(request: web.Request, asked: PurgeBody) -> web.StreamResponse:
    """Remove the derived images of some images, or of all, from this node and from the derived container."""
    context = request.app[CONTEXT]
    if asked.names is None:
        prefix = asked.prefix or ""
        with audited(request, "purge", f"{prefix}*"):
            purged = await (_purge_prefix(context, prefix) if prefix else _purge_all(context))
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
    images, files = await _forget_prefix(context, prefix)
    objects = await _delete(context, prefix)
    return Purged(images=images, files=files + (await _forget_prefix(context, prefix))[1], objects=objects)


async def _forget_prefix(context: Context, prefix: str) -> tuple[int, int]:
    """Forget what is derived of the images of a prefix; how many they were, and their files.

    The listing knows images that lie here under a hash, or are only being made; the disk those that the store has lost.
    """
    images = files = 0
    async for image in _images(context, prefix):
        images += 1
        files += context.derivatives.forget(image)
    with background() as executor:
        local = batches(cached_images(context.tasks.disk.tree.root, prefix), executor, rest=0.0)
        async with aclosing(local):
            async for batch in local:
                removed = [context.derivatives.forget(image.name) for image in batch]
                images += sum(count > 0 for count in removed)
                files += sum(removed)
    return images, files


async def _purge_all(context: Context) -> Purged:
    """As of a prefix, in one step here: the whole tree is moved out of sight, and then deleted. When the service stops
    meanwhile, that much is not waited for, and the next start deletes the rest."""
    reaper = context.tasks.disk.reaper
    gone = await reaper.delete(context.derivatives.forget_all())
    objects = await _delete(context, "")
    more = await reaper.delete(context.derivatives.forget_all())
    return Purged(images=gone.images, files=gone.files + more.files, objects=objects)


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
