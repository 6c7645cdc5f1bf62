"""Answer a browser that finds nothing with a page, which names the workbench."""

from __future__ import annotations

import ipaddress

from aiohttp import web

from gateway import absent
from service.api.http.context import CONTEXT
from service.observability.trace import current

POLICY = "default-src 'none'"  # no scripts, no styles, no images: it is text
CLIENT = "X-Real-IP"  # the client's address, from nginx


def absent_page(request: web.Request, detail: str) -> web.Response:
    """404 as HTML, with the problem's detail."""
    page = absent.fill_in(absent.absent_page(_workbench(request)), detail)
    headers = {"Content-Type": absent.CONTENT_TYPE, "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    if not _is_behind_nginx():  # which sends a policy of its own
        headers["Content-Security-Policy"] = POLICY
    return web.Response(status=404, body=page.encode(), headers=headers)


def _workbench(request: web.Request) -> str:
    """The URL of the workbench: of this port, or behind nginx for clients on this machine. Empty for all others."""
    api = request.app[CONTEXT].config.api
    if not _is_behind_nginx():
        return "/" if api.page else ""
    return api.page_url if _is_loopback(request.headers.get(CLIENT, "")) else ""


def _is_behind_nginx() -> bool:
    trace = current.get()
    return trace is not None and trace.port == "public"


def _is_loopback(text: str) -> bool:
    try:
        return ipaddress.ip_address(text).is_loopback
    except ValueError:  # nginx listens on a unix socket, and has no address
        return False
