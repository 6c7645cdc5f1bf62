"""Answer a browser that navigates to an error with a page, which names the workbench."""

from __future__ import annotations

import ipaddress

from aiohttp import web

from gateway import error_page
from service.api.http.context import CONTEXT
from service.observability.trace import current

CLIENT = "X-Real-IP"  # the client's address, from nginx


def wants_page(request: web.Request) -> bool:
    """Return True if the request is a browser's that navigates."""
    headers = request.headers
    return error_page.wants_page(headers.get("Accept", ""), headers.get("Sec-Fetch-Dest", ""))


def as_page(request: web.Request, problem: web.Response, title: str, detail: str) -> web.Response:
    """The answer to a problem as HTML, with the same status and headers. nginx replaces its policy by the same one."""
    page = error_page.fill_in(error_page.error_page(_workbench(request)), problem.status, title, detail)
    headers = problem.headers.copy()
    headers["Content-Type"] = error_page.CONTENT_TYPE
    headers["Content-Security-Policy"] = error_page.POLICY
    headers["Referrer-Policy"] = "no-referrer"
    return web.Response(status=problem.status, body=page.encode(), headers=headers)


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
