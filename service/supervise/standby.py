"""Answer requests with 503 while the service cannot be started, so that they do not wait for it: a page for a browser
that navigates, and a problem for all others.

The supervisor holds the sockets so that a service may follow another and no request fails. Where none follows, that
would keep every request waiting until it gives up.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator

from service.runtime.sockets import Sockets

RETRY_AFTER = 10  # seconds; between two starts pass as many at most
RELIEF = 0.1  # seconds for which nginx need not ask again, as the service itself says it when it is full
LONGEST_HEAD = 64 * 1024  # bytes of a request line and headers
PATIENCE = 2.0  # seconds for a request to come, and for its sender to read the answer
MOST = 200  # connections that are answered at a time; more are closed

_TITLE, _DETAIL = "Service Unavailable", "the service cannot be started; the log of this node knows why"
_PROBLEM = json.dumps(
    {"type": "urn:image-gateway:problem:service-unavailable", "title": _TITLE, "status": 503, "detail": _DETAIL}
)
_HEADERS = (
    "HTTP/1.1 503 Service Unavailable\r\n"
    f"Retry-After: {RETRY_AFTER}\r\nX-Relief: {RELIEF:.1f}\r\nCache-Control: no-store\r\n"
    "X-Content-Type-Options: nosniff\r\nServer: image-gateway\r\nConnection: close\r\n"
)
_ACCEPT = re.compile(r"\r\nAccept:[ \t]*([^\r\n]*)", re.IGNORECASE)
_DESTINATION = re.compile(r"\r\nSec-Fetch-Dest:[ \t]*([^\r\n]*)", re.IGNORECASE)
_REQUEST_ID = re.compile(rb"\r\n(X-Request-Id: [A-Za-z0-9._-]{1,64}\r\n)", re.IGNORECASE)


@contextlib.asynccontextmanager
async def standby(sockets: Sockets) -> AsyncIterator[None]:
    """Answer 503 to whatever comes to both sockets. They listen as before when the context ends. Raises OSError."""
    crowd = asyncio.Semaphore(MOST)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not crowd.locked():
            async with crowd:
                await _answer(reader, writer)
        writer.close()

    with contextlib.ExitStack() as stack:
        for listen in (sockets.api, sockets.front):
            server = await asyncio.start_server(answer, sock=stack.enter_context(listen.dup()), limit=LONGEST_HEAD)
            stack.callback(server.close)
        yield


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer one request, and take the rest of it: closing before would take the answer back."""
    with contextlib.suppress(OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        async with asyncio.timeout(PATIENCE):
            head = await reader.readuntil(b"\r\n\r\n")
            id = _REQUEST_ID.search(head)
            headers, body = _answer_to(head.decode("latin-1"))
            writer.write(headers + (id[1] if id else b"") + b"\r\n")
            writer.write(b"" if head.startswith(b"HEAD ") else body)
            writer.write_eof()
            while await reader.read(LONGEST_HEAD):
                pass


def _answer_to(head: str) -> tuple[bytes, bytes]:
    """The headers and the body for a request with this head: a page for a browser that navigates, or a problem."""
    from gateway import error_page  # noqa: PLC0415  # most starts never need it

    accept, destination = _ACCEPT.search(head), _DESTINATION.search(head)
    if error_page.wants_page(accept[1] if accept else "", destination[1].strip() if destination else ""):
        body = error_page.fill_in(error_page.error_page(""), 503, _TITLE, _DETAIL).encode()
        own = f"Content-Type: {error_page.CONTENT_TYPE}\r\nContent-Security-Policy: {error_page.POLICY}\r\n"
    else:
        body, own = _PROBLEM.encode(), "Content-Type: application/problem+json\r\n"
    headers = f"{_HEADERS}{own}Vary: {error_page.VARY}\r\nContent-Length: {len(body)}\r\n"
    return headers.encode(), body
