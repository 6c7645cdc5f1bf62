"""An archive of images that are chosen by their names."""

from __future__ import annotations

from aiohttp import web
from pydantic import Field

from gateway.errors import Refused
from gateway.names import check_image, escape, parse
from service.api.http.context import CONTEXT
from service.api.http.errors import TooMany
from service.api.http.validation import validated
from service.api.resources.archive import Archive, Wanted, send_archive
from service.api.resources.batch import AT_ONCE
from service.api.schema.request_models import Body, ImageName


class ArchiveBody(Body):
    """What an archive shall hold."""

    names: list[ImageName] = Field(min_length=1, description="images, not escaped; limits.archive_files at most")
    recipe: str | None = Field(
        None,
        max_length=1024,
        description="what to make of each, such as w=300.webp; null: the untouched originals",
    )


@validated(ArchiveBody)
async def archive_chosen(request: web.Request, asked: ArchiveBody) -> web.StreamResponse:
    """A zip of images that are named one by one: the originals, or with `recipe` derived images.

    Images that there are not, or that cannot be made, are named in its `manifest.json`.
    """
    context, accept = request.app[CONTEXT], request.headers.get("Accept", "")
    limits = context.config.limits
    if len(asked.names) > limits.archive_files:
        raise TooMany(f"more than {limits.archive_files} images are named: ask for fewer at once")
    for name in asked.names:
        check_image(name)
    if asked.recipe is not None and parse(f"image/@{escape(asked.recipe)}", "", context.rules.of_api).is_meta:
        raise Refused(400, "recipe: must make an image, such as w=300.webp")

    async def find(image: str) -> Wanted:
        leaf = image.rpartition("/")[2]
        if asked.recipe is None:
            original = await context.originals.get(image)
            return Wanted(image, leaf, original.path.open("rb"), original.stored.bytes)
        name = parse(escape(f"{image}/@{asked.recipe}"), "", context.rules.of_api)
        found = await context.derivatives.get(name, accept, lane="api")
        return Wanted(image, leaf, found.file.open(), found.file.bytes, found.name.format)

    names = list(dict.fromkeys(asked.names))
    return await send_archive(request, Archive("images", names, find, limits.archive_bytes, AT_ONCE))
