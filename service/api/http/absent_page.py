"""Answer a browser that finds nothing with a page, which names the workbench."""

from __future__ import annotations

import ipaddress

from aiohttp import web

from gateway import absent
from service.api.http.context import CONTEXT
from service.observability.trace import current

CLIENT = "X-Real-IP"  # the client's address, from nginx


def absent_page(request: web.Request, detail: str) -> web.Response:
    """404 as HTML, with the problem's detail."""
    page = absent.fill_in(absent.absent_page(_workbench(request)), detail)
    headers = {
        "Content-Type": absent.CONTENT_TYPE,
        "Content-Security-Policy": absent.POLICY,
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }
    return web.Response(status=404, body=page.encode(), headers=headers)


def _workbench(request: web.Request) -> str:
    """The URL of the workbench: of this port, or behind nginx for clients on this machine. Empty for all others."""
    api, trace = request.app[CONTEXT].config.api, current.get()
    if trace is None or trace.port == "api":
        return "/" if api.page else ""
    return api.page_url if _is_loopback(request.headers.get(CLIENT, "")) else ""


def _is_loopback(text: str) -> bool:
    try:
        return ipaddress.ip_address(text).is_loopback
    except ValueError:  # nginx listens on a unix socket, and has no address
        return False
