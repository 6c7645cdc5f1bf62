"""The page at /docs: it shows the API's document to people, from files that are shipped with the service."""

from __future__ import annotations

from importlib import resources

from aiohttp import web

FILES = {"docs.css": "text/css", "docs.js": "text/javascript"}
PAGE = "index.html"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)


async def docs_page(_request: web.Request) -> web.Response:
    """The page that shows this document."""
    return _answer(PAGE, "text/html")


async def docs_file(request: web.Request) -> web.Response:
    """A file of that page."""
    name = request.match_info["name"]
    if name not in FILES:
        raise web.HTTPNotFound
    return _answer(name, FILES[name])


def _answer(name: str, content_type: str) -> web.Response:
    body = resources.files(__package__).joinpath("page", name).read_bytes()
    headers = {"Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff", "Cache-Control": "no-cache"}
    return web.Response(body=body, content_type=content_type, charset="utf-8", headers=headers)
