"""The parts of aiohttp's connections that it does not promise to keep, which the service needs. The range of versions
in pyproject.toml is as narrow as these demand; importing this module fails where aiohttp has changed them."""

from __future__ import annotations

from typing import Any

import aiohttp
from aiohttp import web

NEEDED = ("_current_request", "_messages", "_reading_paused", "_request_count")


def require(connection: type[object], version: str) -> None:
    """Raises ImportError where the class of connections lacks one of NEEDED."""
    lacking = [name for name in NEEDED if not hasattr(connection, name)]
    if lacking:
        raise ImportError(
            f"aiohttp {version}: its RequestHandler has no {', '.join(lacking)} any more; "
            "install a version within the range of pyproject.toml"
        )


require(web.RequestHandler, aiohttp.__version__)


def current_request(connection: web.RequestHandler) -> web.BaseRequest | None:
    """Returns the request that a handler works on."""
    return connection._current_request


def parsed_messages(connection: web.RequestHandler) -> Any:
    """Returns the deque of requests that were read and wait for a handler: pairs of the message and its body. What is
    no HTTP is a message with an attribute `exc`."""
    return connection._messages


def requests_read(connection: web.RequestHandler) -> int:
    """Returns how many requests this connection has made."""
    return connection._request_count


def is_reading_paused(connection: web.RequestHandler) -> bool:
    """Returns whether aiohttp itself takes nothing from the connection, since what it holds has not been read."""
    return connection._reading_paused
