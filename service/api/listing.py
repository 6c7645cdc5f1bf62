"""What images there are, in pages."""

from __future__ import annotations

from urllib.parse import urlencode

from aiohttp import web

from gateway.errors import Refused
from gateway.names import split_query
from service.api.context import CONTEXT

MOST = 10_000
USUAL = 1000
_PARAMETERS = ("prefix", "delimiter", "marker", "limit")


async def list_images(request: web.Request) -> web.Response:
    """`GET /images?prefix=&delimiter=&marker=&limit=`: one page, and the link to the next."""
    parameters = split_query(request.raw_path.partition("?")[2])
    for key in parameters:
        if key not in _PARAMETERS:
            raise Refused(400, f"{key}: no such parameter; there are {', '.join(_PARAMETERS)}")
    limit = _limit(parameters.get("limit", str(USUAL)))
    asked = {key: parameters.get(key, "") for key in ("prefix", "delimiter", "marker")}
    page = await request.app[CONTEXT].store.originals.list(**asked, limit=limit)
    body = {
        "images": [
            {"name": one.name, "bytes": one.bytes, "etag": one.etag, "modified": one.modified} for one in page.objects
        ],
        "folders": list(page.folders),
        "next": None if page.marker is None else f"/images?{urlencode({**parameters, 'marker': page.marker})}",
    }
    return web.json_response(body)


def _limit(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= MOST):
        raise Refused(400, f"limit: must be a whole number from 1 to {MOST}")
    return int(text)
