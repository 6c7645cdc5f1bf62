"""Answer requests with 503 while the service cannot be started, so that they do not wait for it.

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

_PROBLEM = json.dumps(
    {
        "type": "urn:image-gateway:problem:service-unavailable",
        "title": "Service Unavailable",
        "status": 503,
        "detail": "the service cannot be started; the log of this node knows why",
    }
).encode()
_HEADERS = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/problem+json\r\nContent-Length: %d\r\n"
    b"Retry-After: %d\r\nX-Relief: %.1f\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
    b"Server: image-gateway\r\nConnection: close\r\n"
) % (len(_PROBLEM), RETRY_AFTER, RELIEF)
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
            writer.write(_HEADERS + (id[1] if id else b"") + b"\r\n")
            writer.write(b"" if head.startswith(b"HEAD ") else _PROBLEM)
            writer.write_eof()
            while await reader.read(LONGEST_HEAD):
                pass
