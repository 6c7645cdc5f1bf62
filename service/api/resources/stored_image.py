"""The answer to an upload that has been stored."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote as percent_encode

from aiohttp import web

from gateway.errors import Refused
from gateway.names import escape, parse
from service.api.http.context import Context
from service.api.resources.metadata import metadata_of
from service.api.schema.models import Links, StoredImage
from service.engine.job import EngineError
from service.store.errors import StoreError
from service.uploads.uploads import Stored


async def stored_image(context: Context, name: str, stored: Stored) -> StoredImage:
    """What the store holds now under this name."""
    etag = stored.object.etag
    return StoredImage(
        name=name,
        bytes=stored.object.bytes,
        etag=etag,
        content_type=stored.object.content_type,
        format=stored.header.format,
        md5=stored.md5,
        sha256=stored.sha256,
        created=stored.created,
        url=f"{context.config.public.base_url}/images/{escape(name)}?v={_escaped(etag)}",
        links=_links(context, name, etag),
        metadata=await _metadata(context, name),
    )


def created(image: StoredImage) -> web.Response:
    headers = {"Location": image.links.self, "ETag": f'"{image.etag}"'}
    return web.json_response(text=image.model_dump_json(), status=201, headers=headers)


async def _metadata(context: Context, name: str) -> dict[str, Any] | None:
    """Return the metadata, or None: the image is stored, so missing metadata is no failure."""
    try:
        return await metadata_of(context, name)
    except (EngineError, StoreError, OSError):
        return None


def _links(context: Context, name: str, etag: str) -> Links:
    rules, base, version = context.rules, f"{context.config.public.base_url}/images/", f"?v={_escaped(etag)}"
    presets = {}
    for preset in rules.presets:
        leaf = f"{escape(name)}/@{preset}.{rules.default_format}"
        try:
            parse(leaf, "", rules)
        except Refused:  # this preset cannot be made in the default format, or the name has no room for it
            continue
        presets[preset] = base + leaf + version
    public = base + escape(name) + version if rules.access == "open" else None
    return Links(self=f"/images/{escape(name)}", public=public, presets=presets)


def _escaped(text: str) -> str:
    return percent_encode(text, safe="")
