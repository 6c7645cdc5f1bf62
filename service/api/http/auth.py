"""Authorise requests of the API by bearer tokens, which are known by their hashes, each with its scopes."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass

from aiohttp import web

from gateway.api_settings import Scope
from service.api.http.context import CONTEXT
from service.api.http.errors import Forbidden, Unauthenticated
from service.api.http.problems import Handler
from service.api.schema.operations import OPERATIONS

OPEN = tuple(operation.path for operation in OPERATIONS if operation.open)
"""Paths that need no token, since they tell nothing of the images."""


@dataclass(frozen=True, slots=True)
class Client:
    """The client of a request. Without configured tokens it is `anonymous`, and `scopes` is None: all of them."""

    name: str
    scopes: frozenset[Scope] | None


ANONYMOUS = Client("anonymous", None)
CLIENT = web.RequestKey("client", Client)


@web.middleware
async def tokens(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Lets a request through that bears a known token. Raises Unauthenticated."""
    request[CLIENT] = ANONYMOUS
    known = request.app[CONTEXT].config.api.tokens
    if not known or _is_open(request.path):
        return await handler(request)
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    digest = hashlib.sha256(given.strip().encode("utf-8", "surrogateescape")).hexdigest()
    match = [token for token in known if hmac.compare_digest(token.sha256, digest)]
    if scheme.lower() != "bearer" or not match:
        raise Unauthenticated("a known token is needed: Authorization: Bearer TOKEN")
    request[CLIENT] = Client(match[0].name, frozenset(match[0].scopes))
    return await handler(request)


def _is_open(path: str) -> bool:
    return any(path.startswith(one.partition("{")[0]) if "{" in one else path == one for one in OPEN)


def require_any(request: web.Request, *scopes: Scope) -> None:
    """Raise Forbidden unless the client has one of these scopes."""
    client = request[CLIENT]
    if client.scopes is not None and client.scopes.isdisjoint(scopes):
        raise Forbidden(f"the token of {client.name} lacks the scope {' or '.join(scopes)}")


def require(request: web.Request, *scopes: Scope) -> None:
    """Raise Forbidden unless the client has all of these scopes."""
    client = request[CLIENT]
    if client.scopes is None:
        return
    for scope in scopes:
        if scope not in client.scopes:
            raise Forbidden(f"the token of {client.name} lacks the scope {scope}")
