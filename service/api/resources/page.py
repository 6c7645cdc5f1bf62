"""The workbench at `/` and the page at `/docs`: files that are shipped with the service, in `service/api/page`."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import PurePosixPath

from aiohttp import web

from service.api.http.context import CONTEXT
from service.api.http.sending import File, send

FOLDER = "page"
FRAME = "frame.html"  # what both pages have; they hold what goes into its head and its body
BETWEEN = "<!-- body -->\n"
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob: data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
"""Content Security Policy Level 3: scripts, styles and data of this origin alone. No script can be made of text."""
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cache-Control": "no-cache",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
}


@dataclass(frozen=True, slots=True)
class Shipped:
    """A file of the page, with its strong ETag (unquoted) and when it was written, in whole seconds."""

    body: bytes
    etag: str
    modified: int
    content_type: str


async def page(request: web.Request) -> web.StreamResponse:
    """The workbench, a page to browse, try, put in and watch images with."""
    _check_served(request)
    return await _send(request, "index.html")


async def page_file(request: web.Request) -> web.StreamResponse:
    """A part of the workbench."""
    _check_served(request)
    return await _send(request, request.match_info["name"])


async def docs_page(request: web.Request) -> web.StreamResponse:
    """The page that shows this document."""
    return await _send(request, "docs.html")


async def docs_file(request: web.Request) -> web.StreamResponse:
    """A file of that page."""
    return await _send(request, request.match_info["name"])


def _check_served(request: web.Request) -> None:
    """Raise HTTPNotFound where the configuration says `api.page: false`."""
    if not request.app[CONTEXT].config.api.page:
        raise web.HTTPNotFound


async def _send(request: web.Request, name: str) -> web.StreamResponse:
    found = shipped().get(name)
    if found is None:
        raise web.HTTPNotFound
    headers = {**HEADERS, "Content-Type": found.content_type}
    return await send(request, File(io.BytesIO(found.body), len(found.body), found.etag, found.modified, headers))


@cache
def shipped() -> dict[str, Shipped]:
    """Every file of the page by its name, those of HTML in their frame."""
    found = {}
    folder = resources.files("service.api").joinpath(FOLDER)
    frame, framed = _read(folder.joinpath(FRAME))
    for entry in folder.iterdir():
        suffix = PurePosixPath(entry.name).suffix
        if suffix in TYPES and entry.name != FRAME:
            body, modified = _read(entry)
            if suffix == ".html":
                body, modified = _framed(body.decode(), frame.decode()).encode(), max(modified, framed)
            found[entry.name] = Shipped(body, hashlib.sha256(body).hexdigest()[:32], modified, TYPES[suffix])
    return found


def _read(entry: Traversable) -> tuple[bytes, int]:
    """What a file holds, and when it was written, in whole seconds."""
    with resources.as_file(entry) as path:
        return path.read_bytes(), int(path.stat().st_mtime)


def _framed(own: str, frame: str) -> str:
    """A whole page: the frame around the page's own part of the head and of the body."""
    head, _, body = own.partition(BETWEEN)
    return frame.replace("{head}", head.rstrip()).replace("{body}", body.rstrip())
