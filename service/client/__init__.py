"""A client of the gateway's API: `Gateway` is synchronous, `AsyncGateway` asynchronous.

with Gateway("http://127.0.0.1:8081") as gateway:
    gateway.upload("photos/cat.jpg", Path("cat.jpg"))
    thumbnail = gateway.get("photos/cat.jpg/@thumbnail.webp")
"""

from service.client.async_driver import AsyncGateway
from service.client.driver import Gateway
from service.client.errors import Broken, Conflict, GatewayError, NotFound, Refused, Unavailable, Unreachable

__all__ = [
    "AsyncGateway",
    "Broken",
    "Conflict",
    "Gateway",
    "GatewayError",
    "NotFound",
    "Refused",
    "Unavailable",
    "Unreachable",
]
