"""Purge derived images. Originals stay, and a later request makes a derived image again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

from aiohttp import web
from pydantic import Field, model_validator

from gateway.names import check_image
from service.api.http.audit import audited
from service.api.http.context import CONTEXT, Context
from service.api.http.validation import validated
from service.api.resources.selection import PAGE
from service.api.schema.models import Purged
from service.api.schema.request_models import Body, ImageName
from service.cache.graves import Removal
from service.cache.images import cached_images
from service.cache.walk import background, batches
from service.outbox.outbox import Change

MOST = 1000  # names of one request
AT_ONCE = 32  # images that are forgotten without letting anything else run


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
    """Remove the derived images of some images, or of all, from this node and from the derived container; other
    nodes on a Swift follow by its journal."""
    context = request.app[CONTEXT]
    if asked.names is None:
        prefix = asked.prefix or ""
        with audited(request, "purge", f"{prefix}*"):
            async with context.outbox.telling(Change("purged", prefix=prefix)):
                purged = await (_purge_prefix(context, prefix) if prefix else _purge_all(context))
    else:
        for name in asked.names:
            check_image(name)
        purged = Purged(images=0, files=0, objects=0)
        async with context.outbox.telling(Change("purged", tuple(asked.names))):
            for name in asked.names:
                with audited(request, "purge", name):
                    purged = _sum(purged, await _purge_image(context, name))
    return web.json_response(text=purged.model_dump_json())


async def _purge_image(context: Context, image: str) -> Purged:
    async with context.tasks.journal.change("purge", image):
        files, objects = await context.derivatives.purge(image)
    return Purged(images=1, files=files, objects=objects)


async def _purge_prefix(context: Context, prefix: str) -> Purged:
    """Forgotten before and after: nothing that was taken from the derived container meanwhile may stay."""
    async with context.tasks.journal.change("purge-prefix", prefix):
        images, files = await _forget_prefix(context, prefix)
        objects = await context.derivatives.remove_stored(prefix)
    return Purged(images=images, files=files + (await _forget_prefix(context, prefix))[1], objects=objects)


async def _forget_prefix(context: Context, prefix: str) -> tuple[int, int]:
    """Forget what is derived of the images of a prefix; how many they were, and their files.

    The listing knows images that lie here under a hash, or are only being made; the disk those that the store has lost.
    """
    context.tasks.disk.tree.unproven.clear()
    images = files = 0
    async for names in _images(context, prefix):
        images += len(names)
        files += (await _forget(context, names))[1]
    await context.tasks.disk.tree.settled()  # what was moved away with an image whose name goes on is back
    with background() as executor:
        local = batches(cached_images(context.tasks.disk.tree.root, prefix), executor, rest=0.0)
        async with aclosing(local):
            async for batch in local:
                there, removed = await _forget(context, [image.name for image in batch])
                images += there
                files += removed
    return images, files


async def _forget(context: Context, names: list[str]) -> tuple[int, int]:
    """Forget these images; of how many there was anything, and how many files."""
    there, removals = 0, list[Removal]()
    for number, name in enumerate(names):
        found = context.derivatives.forget(name)
        there += bool(found)
        removals += found
        if number % AT_ONCE == 0:
            await asyncio.sleep(0)
    return there, await context.tasks.disk.tree.removed(removals, counted=True)


async def _purge_all(context: Context) -> Purged:
    """As of a prefix, in one step here: the whole tree is moved out of sight, and then deleted. When the service stops
    meanwhile, that much is not waited for, and the next start deletes the rest."""
    reaper = context.tasks.disk.reaper
    async with context.tasks.journal.change("purge-all"):
        gone = await reaper.delete(await context.derivatives.forget_all())
        objects = await context.derivatives.remove_stored("")
    more = await reaper.delete(await context.derivatives.forget_all())
    return Purged(images=gone.images, files=gone.files + more.files, objects=objects)


async def _images(context: Context, prefix: str) -> AsyncIterator[list[str]]:
    """The names of the originals of a prefix, page by page."""
    marker: str | None = ""
    while marker is not None:
        page = await context.store.originals.list(prefix=prefix, marker=marker, limit=PAGE)
        marker = page.marker
        yield [one.name for one in page.objects]


def _sum(one: Purged, other: Purged) -> Purged:
    return Purged(images=one.images + other.images, files=one.files + other.files, objects=one.objects + other.objects)
