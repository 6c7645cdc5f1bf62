"""Refuse requests that a web page of another site makes a browser send, also by DNS rebinding."""

from __future__ import annotations

from aiohttp import web

from gateway.errors import quote
from gateway.hosts import authority, is_own_host, is_own_origin
from gateway.settings import Api
from service.api.http.context import CONTEXT
from service.api.http.errors import CrossSite, UnknownHost
from service.api.http.problems import Handler

FETCH_SITE = "Sec-Fetch-Site"  # Fetch Metadata Request Headers, 2.3
OWN_SITES = ("same-origin", "none")  # a page of ours; the user, who wrote the address
READING = ("GET", "HEAD", "OPTIONS")
MAKES_OBJECT = "url"  # the parameter of a read that puts a derived image into the store
PROBES = "/health/"


@web.middleware
async def own_pages(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Lets a request through that no web page of others can have sent. Raises CrossSite, UnknownHost."""
    api = request.app[CONTEXT].config.api
    if not api.tokens and not request.path.startswith(PROBES):
        _check_host(request, api)
    if request.method not in READING or MAKES_OBJECT in request.query:
        _check_site(request, api)
    return await handler(request)


def _check_host(request: web.Request, api: Api) -> None:
    """A browser always sends `Host`; what sends none, or an address, was not led here by a name."""
    for host in _hosts(request):
        if not is_own_host(authority(host), api.listen, api.hosts):
            raise UnknownHost(
                f"Host: {quote(host)} is not a name of this API; name it in api.hosts, or configure api.tokens"
            )


def _check_site(request: web.Request, api: Api) -> None:
    for site in request.headers.getall(FETCH_SITE, ()):
        if site.strip() not in OWN_SITES:
            raise CrossSite(
                f"a page of another origin sent this ({FETCH_SITE}: {quote(site)}), and only pages of the API's own "
                "may change anything; serve the page and the API under one name, and name it in api.hosts"
            )
    for origin in request.headers.getall("Origin", ()):
        if not any(is_own_origin(origin, host, api.hosts) for host in _hosts(request) or [""]):
            raise CrossSite(
                f"a page of another origin sent this (Origin: {quote(origin)}), and only pages of the API's own may "
                "change anything; name its host in api.hosts if it is one of them"
            )


def _hosts(request: web.Request) -> list[str]:
    """What the headers say of the host. A target that is a URL is not looked at: browsers send it to proxies only."""
    return [host for host in request.headers.getall("Host", ()) if host.strip()]
