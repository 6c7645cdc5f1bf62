"""Parse the hosts in `Host` and `Origin`, and tell which of them belong to the gateway.

The rules keep web pages away from the API. A page reaches it from a browser in two ways: it sends a request to it from
another origin, or it has its own name resolved to the API's address (DNS rebinding). The second needs a name.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Annotated, Any

from pydantic import BeforeValidator

PORTS = {"http": 80, "https": 443}
LOCALHOST = "localhost"

_AUTHORITY = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\s:/?#@\[\]]+)(?::([0-9]{0,5}))?")
_ORIGIN = re.compile(r"(https?)://(.*)", re.IGNORECASE)
_NAME = re.compile(r"(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*")


@dataclass(frozen=True, slots=True)
class Authority:
    """A host in small letters, without brackets and without a dot at its end, and its port, None where there is none.
    The host is empty where the text is no HOST or HOST:PORT."""

    host: str
    port: int | None

    @property
    def is_address(self) -> bool:
        """Whether the host is an IP address."""
        return _is_address(self.host)


def authority(text: str) -> Authority:
    """What `Host` names (RFC 9110, 7.2)."""
    match = _AUTHORITY.fullmatch(text.strip(" \t"))
    if match is None:
        return Authority("", None)
    host = match[1].lower()
    host = host[1:-1] if host.startswith("[") else host.removesuffix(".")
    return Authority(host, int(match[2]) if match[2] else None)


def is_own_host(host: Authority, listen: str, hosts: Collection[str]) -> bool:
    """Whether a page under this host may be taken for one of our own: an IP address, `localhost`, the host of `listen`
    (HOST:PORT), or one of `hosts`."""
    return host.is_address or host.host in {LOCALHOST, authority(listen).host, *hosts}


def is_own_origin(origin: str, host: str, hosts: Collection[str]) -> bool:
    """Whether `Origin` (RFC 6454, 7) is the origin that `Host` names, or has a host that is one of `hosts`.

    The scheme is not compared, since a proxy may have ended TLS. A port that is missing is the one of the origin's
    scheme. `null` never is.
    """
    match = _ORIGIN.fullmatch(origin.strip(" \t"))
    if match is None:
        return False
    usual = PORTS[match[1].lower()]
    ours, theirs = authority(host), authority(match[2])
    if not theirs.host:
        return False
    return theirs.host in hosts or (theirs.host, theirs.port or usual) == (ours.host, ours.port or usual)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _host_name(value: Any) -> str:
    name = value.lower().removesuffix(".") if isinstance(value, str) else ""
    if not _NAME.fullmatch(name) or _is_address(name):
        raise ValueError("must be a name without a port, such as images.internal; IP addresses are never refused")
    return name


HostName = Annotated[str, BeforeValidator(_host_name)]
"""A name that `Host` may have, in small letters."""
