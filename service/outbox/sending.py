"""Send requests to receivers of messages: bounded in time and size, to no other address than the configured one."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import urlsplit

import aiohttp
from yarl import URL

from service.outbox.change import Message
from service.runtime.trust import connector

LARGEST_ANSWER = 64 * 1024  # bytes that are read of an answer
HEADERS = {"User-Agent": "image-gateway", "Accept-Encoding": "identity"}  # an answer is read as it comes
WITH_RETRY = (429, 503)  # statuses whose Retry-After counts


class SendFailed(Exception):
    """A receiver did not take a message. The text names no secret. `retry_after` is in seconds, where it said so."""

    def __init__(self, message: str, retry_after: float = 0.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Unwanted(Exception):
    """A receiver takes this message never."""


class Sender(Protocol):
    """Delivers messages to one receiver."""

    @property
    def id(self) -> str:
        """Lasts over restarts as long as the receiver is configured; the end of the ids of its messages."""

    @property
    def kind(self) -> str:
        """`events` or `cdn`, for metrics."""

    @property
    def title(self) -> str:
        """The option and the host, for the log."""

    @property
    def delay(self) -> float:
        """Seconds after the change before which nothing is sent."""

    def wants(self, kind: str) -> bool:
        """Whether it wants changes of this kind."""

    async def send(self, message: Message) -> None:
        """Return when the receiver has taken it. Raises SendFailed, Unwanted, StoreError."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent to a receiver."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = b""


class Client:
    """Connections to receivers. Neither redirects nor proxies of the environment are followed, and cookies are not
    kept."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    async def send(self, request: Request, timeout: float) -> bytes:  # noqa: ASYNC109  # of the option of this name
        """The beginning of an answer of a status from 200 to 299. Raises SendFailed; Unwanted for 410."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=connector(), cookie_jar=aiohttp.DummyCookieJar(), headers=HEADERS, auto_decompress=False
            )
        try:
            async with (
                asyncio.timeout(timeout),
                self._session.request(
                    request.method,
                    URL(request.url, encoded=True),
                    headers=dict(request.headers),
                    data=request.body,
                    allow_redirects=False,
                ) as response,
            ):
                body = await _read(response.content)
        except TimeoutError as error:
            raise SendFailed(f"no answer within {timeout:g} s") from error
        except (aiohttp.ClientError, ValueError) as error:
            reason = getattr(error, "strerror", None) or type(error).__name__
            raise SendFailed(str(reason)) from error  # its own text may hold the URL
        if response.status == 410:
            raise Unwanted("410 Gone")
        if not 200 <= response.status < 300:
            raise SendFailed(f"it answers {response.status}", _retry_after(response))
        return body

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()


async def _read(content: aiohttp.StreamReader) -> bytes:
    """An answer, and no more of it than LARGEST_ANSWER."""
    body = b""
    while len(body) < LARGEST_ANSWER and (piece := await content.readany()):
        body += piece
    return body[:LARGEST_ANSWER]


def host_of(url: str) -> str:
    """What a log may show of a URL: a path or query may be secret."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _retry_after(response: aiohttp.ClientResponse) -> float:
    text = response.headers.get("Retry-After", "")
    return float(text) if response.status in WITH_RETRY and text.isdecimal() and len(text) < 9 else 0.0
