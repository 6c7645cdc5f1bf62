"""From a call to a request of httpx: its options, its body, and what a failure means."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx

from service.client.calls import Call
from service.client.errors import GatewayError, Refused, Unavailable, require_url, unreachable

CHUNK = 256 * 1024
TIMEOUT = httpx.Timeout(60.0, connect=5.0)
NO_TIMEOUT = httpx.Timeout(None, connect=5.0)


class Settings:
    """Where the gateway is, and the options of httpx. Raises Refused for a token that no header can hold."""

    def __init__(self, base_url: str, token: str | None) -> None:
        self.base_url = base_url.rstrip("/")
        require_url(self.base_url)
        if token and not (token.isascii() and token.isprintable()):
            raise Refused("the token must be printable ASCII, on one line")
        self.options: Mapping[str, Any] = {
            "base_url": self.base_url,
            "headers": {"Authorization": f"Bearer {token}"} if token else {},
            "timeout": TIMEOUT,
            "trust_env": False,
        }


def sha256_of(path: Path) -> str:
    """In hex. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def failure(error: httpx.TransportError, call: Call[Any], base_url: str) -> GatewayError:
    """The error of a call that found no server."""
    if not call.foreign:
        return unreachable(error, base_url)
    url = httpx.URL(call.path)  # of which the query is a permission
    place = f"{url.scheme}://{url.netloc.decode()}"
    return Unavailable(f"the store at {place} cannot be reached from here: {error or type(error).__name__}")


def request(call: Call[Any], body_chunks: Any) -> dict[str, Any]:
    """The arguments of httpx for a call, whose body comes in `body_chunks` where it is a file."""
    headers = dict(call.headers)
    if isinstance(call.body, Path):
        headers["Content-Length"] = str(call.body.stat().st_size)
    # A path that has a query already (the next page) keeps it.
    params = dict(call.params) or None
    body = body_chunks if isinstance(call.body, Path) else call.body
    return {
        "method": call.method,
        "url": call.path,
        "params": params,
        "headers": headers,
        "content": body,
        "json": call.json,
        "timeout": NO_TIMEOUT if call.patient else TIMEOUT,
    }


def chunks(call: Call[Any]) -> Iterator[bytes] | None:
    """The bytes of a call whose body is a file; None for others."""
    return _read(call.body, call.sent) if isinstance(call.body, Path) else None


def async_chunks(call: Call[Any]) -> AsyncIterator[bytes] | None:
    """As `chunks`, read in a thread."""
    return _read_async(call.body, call.sent) if isinstance(call.body, Path) else None


def _read(path: Path, sent: Callable[[int], None]) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk
            sent(len(chunk))


async def _read_async(path: Path, sent: Callable[[int], None]) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while chunk := await asyncio.to_thread(file.read, CHUNK):
            yield chunk
            sent(len(chunk))
