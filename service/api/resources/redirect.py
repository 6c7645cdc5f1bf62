"""Large images are answered by a redirect to a temporary URL, where that is configured: their bytes then pass neither
this process nor this machine."""

from __future__ import annotations

import logging

from aiohttp import web

from gateway.names import Name
from gateway.save_as import disposition, filename_of
from service.api.http.context import CONTEXT
from service.store.base import Container
from service.store.errors import StoreError

log = logging.getLogger(__name__)


def is_large(request: web.Request, size: int) -> bool:
    """Whether an answer of so many bytes is configured to be a redirect."""
    return 0 < request.app[CONTEXT].store.redirect_from <= size


async def redirect(
    request: web.Request, container: Container, name: str, asked: Name, extension: str
) -> web.Response | None:
    """307 to an object that the container holds, to be saved as it is `asked` for; None where the container can give no
    URL now, so that the bytes are sent."""
    lifetime = request.app[CONTEXT].store.temporary_urls.default
    try:
        found = await container.temporary_url(
            name, lifetime=lifetime, filename=_filename(asked, extension), inline="download" not in asked.signature
        )
    except StoreError as error:
        log.warning("no redirect for %s: %s", name, error)
        return None
    return web.Response(status=307, headers={"Location": found.url, "Cache-Control": "private, no-store"})


def _filename(asked: Name, extension: str) -> str | None:
    """What the object is to be saved as, None where the request does not say that."""
    if not disposition(asked.image, extension, asked.signature):
        return None
    return filename_of(asked.image, extension, asked.signature)
