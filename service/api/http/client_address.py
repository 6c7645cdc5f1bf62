"""The client's address behind trusted proxies."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from functools import lru_cache

from aiohttp import web

from service.api.http.context import CONTEXT

FORWARDED = "X-Forwarded-For"

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def address_of(request: web.Request) -> str:
    """The address of who asks, as nginx's `real_ip_recursive` finds it; empty where there is none."""
    trusted = tuple(request.app[CONTEXT].config.api.trusted_proxies)
    return client_address(request.remote or "", request.headers.getall(FORWARDED, ()), trusted)


def scheme_of(request: web.Request) -> str:
    """The scheme that the client used, as far as a trusted proxy says."""
    said = request.headers.get("X-Forwarded-Proto", "")
    trusted = _is_trusted(request.remote or "", tuple(request.app[CONTEXT].config.api.trusted_proxies))
    return said if trusted and said in ("http", "https") else request.scheme


def client_address(peer: str, forwarded: Sequence[str], trusted: tuple[str, ...]) -> str:
    """The first address, from the nearest on, that is no trusted proxy's: what a proxy that is none says counts for
    nothing. `peer` is who is connected, `forwarded` the values of X-Forwarded-For in their order, each a list to which
    every proxy has appended the address of its peer."""
    client = peer
    for said in reversed(",".join(forwarded).split(",")):
        if not _is_trusted(client, trusted):
            break
        address = _address(said)
        if address is None:
            break
        client = str(address)
    return client


def _is_trusted(text: str, trusted: tuple[str, ...]) -> bool:
    address = _address(text) if trusted else None
    return address is not None and any(address in network for network in _networks(trusted))


def _address(text: str) -> Address | None:
    """An address, maybe with a port, as some balancers have it."""
    host = text.strip()
    if host.startswith("["):
        host = host[1:].partition("]")[0]
    elif host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


@lru_cache(maxsize=1)
def _networks(trusted: tuple[str, ...]) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    return [ipaddress.ip_network(one) for one in trusted]
