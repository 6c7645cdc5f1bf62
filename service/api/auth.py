"""Bearer tokens of the API, kept as hashes, each with its scopes."""

from __future__ import annotations

import hashlib
import hmac

from aiohttp import web

from service.api.context import CONTEXT
from service.api.problems import Handler

OPEN = ("/health/live", "/health/ready")
SCOPES = {"GET": "read", "HEAD": "read", "OPTIONS": "read", "POST": "write", "PUT": "write", "DELETE": "delete"}
CLIENT = web.RequestKey("client", str)


@web.middleware
async def tokens(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Lets a request through that its token allows; without configured tokens, every request."""
    known = request.app[CONTEXT].config.api.tokens
    if not known or request.path in OPEN:
        return await handler(request)
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    digest = hashlib.sha256(given.strip().encode("utf-8", "surrogateescape")).hexdigest()
    match = [token for token in known if hmac.compare_digest(token.sha256, digest)]
    if scheme.lower() != "bearer" or not match:
        raise web.HTTPUnauthorized(
            text="a known token is needed: Authorization: Bearer TOKEN", headers={"WWW-Authenticate": "Bearer"}
        )
    scope = _scope(request)
    if scope not in match[0].scopes:
        raise web.HTTPForbidden(text=f"the token of {match[0].name} lacks the scope {scope}")
    request[CLIENT] = match[0].name
    return await handler(request)


def _scope(request: web.Request) -> str:
    if request.path == "/urls" or "url" in request.query:
        return "url"
    if request.path == "/purge":
        return "delete"
    return SCOPES.get(request.method, "write")
