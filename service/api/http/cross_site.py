"""Refuse requests that a web page of another site makes a browser send, also by DNS rebinding."""

from __future__ import annotations

from aiohttp import web

from gateway.api_settings import Api
from gateway.errors import quote
from gateway.hosts import authority, is_own_host, is_own_origin
from gateway.put_urls import PREFIX
from service.api.http.context import CONTEXT
from service.api.http.errors import CrossSite, UnknownHost
from service.api.http.problems import Handler

FETCH_SITE = "Sec-Fetch-Site"  # Fetch Metadata Request Headers, 2.3
OWN_SITES = ("same-origin", "none")  # a page of ours; the user, who wrote the address
READING = ("GET", "HEAD", "OPTIONS")
MAKES_OBJECT = "url"  # the parameter of a read that puts a derived image into the store
PROBES = "/health/"
PREFLIGHT = "600"  # seconds for which a browser may remember what it was allowed


@web.middleware
async def own_pages(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Lets a request through that no web page of others can have sent. Raises CrossSite, UnknownHost."""
    api = request.app[CONTEXT].config.api
    if not api.tokens and not request.path.startswith(PROBES):
        _check_host(request, api)
    if (request.method not in READING or MAKES_OBJECT in request.query) and not _is_signed_put(request):
        _check_site(request, api)
    return await handler(request)


def _check_host(request: web.Request, api: Api) -> None:
    """A browser always sends `Host`; what sends none, or an address, was not led here by a name."""
    for host in _hosts(request):
        if not is_own_host(authority(host), api.listen, api.hosts):
            raise UnknownHost(
                f"Host: {quote(host)} is not a name of this API; name it in api.hosts, or configure api.tokens"
            )


@web.middleware
async def signed_puts(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Tells a browser that pages of `intake.origins` may PUT by a temporary URL (Fetch Standard, 3.3, CORS)."""
    response = await handler(request)
    if _is_signed_put(request):
        response.headers["Access-Control-Allow-Origin"] = request.headers["Origin"]
        if request.method == "OPTIONS":
            response.headers["Access-Control-Allow-Methods"] = "PUT"
            response.headers["Access-Control-Max-Age"] = PREFLIGHT
            if asked := request.headers.get("Access-Control-Request-Headers"):
                response.headers["Access-Control-Allow-Headers"] = asked
    if request.path.startswith(PREFIX):
        response.headers["Vary"] = "Origin"
    return response


def _is_signed_put(request: web.Request) -> bool:
    """Whether this is a PUT by a temporary URL, or what a browser asks before, of a page that may do so. It has no
    token, and its signature, which the handler checks, is nothing that a browser adds by itself."""
    origins, known = request.headers.getall("Origin", ()), request.app[CONTEXT].config.intake.origins
    return request.path.startswith(PREFIX) and len(origins) == 1 and origins[0] in known


def _check_site(request: web.Request, api: Api) -> None:
    upload = "name its origin in intake.origins if it may send images here" if request.path.startswith(PREFIX) else ""
    for site in request.headers.getall(FETCH_SITE, ()):
        if site.strip() not in OWN_SITES:
            raise CrossSite(
                f"a page of another origin sent this ({FETCH_SITE}: {quote(site)}), and only pages of the API's own "
                f"may change anything; {upload or 'serve page and API under one name, and name it in api.hosts'}"
            )
    for origin in request.headers.getall("Origin", ()):
        if not any(is_own_origin(origin, host, api.hosts) for host in _hosts(request) or [""]):
            raise CrossSite(
                f"a page of another origin sent this (Origin: {quote(origin)}), and only pages of the API's own may "
                f"change anything; {upload or 'name its host in api.hosts if it is one of them'}"
            )


def _hosts(request: web.Request) -> list[str]:
    """What the headers say of the host. A target that is a URL is not looked at: browsers send it to proxies only."""
    return [host for host in request.headers.getall("Host", ()) if host.strip()]
