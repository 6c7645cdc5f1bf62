"""Read request bodies in bounded memory, up to a limit, and refuse senders that are too slow."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import TypeVar

from aiohttp import web
from aiohttp.http_exceptions import BadHttpMessage

from gateway.errors import Refused
from service.api.http.aiohttp_private import is_reading_paused
from service.api.http.errors import SlowSender, UnsupportedBody
from service.engine.job import TooLarge
from service.uploads.incoming import Incoming

IDLE = 30.0  # seconds between two pieces of a body, at most
GRACE = 60.0  # seconds that a sender may lag behind SLOWEST
SLOWEST = 16 * 1024  # bytes a second
BLOCK = 128 * 1024  # bytes that are hashed and written at once, in a thread, which takes a while to begin

Read = Callable[[], Awaitable[bytes]]
T = TypeVar("T")


class Patience:
    """How long to wait for the next piece of a body: at most IDLE, and on the whole not below SLOWEST."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._start = clock()

    def left(self, received: int) -> float:
        """Seconds to wait from now on, when `received` bytes have come."""
        return min(IDLE, GRACE + received / SLOWEST - (self._clock() - self._start))

    async def wait(self, piece: Awaitable[T], received: int) -> T:
        """What is waited for. Raises SlowSender; Refused for a body that breaks HTTP's rules."""
        try:
            async with asyncio.timeout(max(0.0, self.left(received))):
                return await piece
        except TimeoutError:
            raise SlowSender(f"the body came too slowly: less than {SLOWEST} bytes a second, or a pause") from None
        except (
            BadHttpMessage,
            web.RequestPayloadError,
            ValueError,
            AssertionError,
            LookupError,
            RuntimeError,
        ) as error:
            raise Refused(400, "the body is broken: its chunks, or the parts of its multipart form") from error


async def receive(read: Read, upload: Incoming, patience: Patience, request: web.BaseRequest | None = None) -> None:
    """Write all pieces that `read` gives, until an empty one, into an upload. Nothing more of the `request` is received
    while some are written. Raises TooLarge, SlowSender, Refused."""
    pieces: list[bytes] = []
    received, is_over = 0, False
    while not is_over:
        pieces.append(await patience.wait(read(), received))
        received += len(pieces[-1])
        is_over = not pieces[-1]
        if is_over or sum(map(len, pieces)) >= BLOCK:
            with _held(request):
                await asyncio.to_thread(upload.write, *pieces)
            pieces.clear()  # and nothing else holds them while the next one is on its way


@contextlib.contextmanager
def _held(request: web.BaseRequest | None) -> Iterator[None]:
    """Leave what comes on the request's connection to the kernel: the next piece, of 250 KB from a quick sender, would
    wait in this process as long as the present one."""
    transport = request.transport if request else None
    if request is None or transport is None:
        yield
        return
    with contextlib.suppress(RuntimeError):  # it has just been closed
        transport.pause_reading()
    try:
        yield
    finally:
        if not is_reading_paused(request.protocol):
            with contextlib.suppress(RuntimeError):
                transport.resume_reading()


async def discard(read: Read, patience: Patience, most: int) -> None:
    """Read and drop the rest of a body. Raises TooLarge beyond `most` bytes."""
    received = 0
    while piece := await patience.wait(read(), received):
        received += len(piece)
        if received > most:
            raise TooLarge(f"a field of the form is larger than {most} bytes")


async def read_small(request: web.Request, most: int) -> bytes:
    """A whole body of at most `most` bytes. Raises TooLarge, SlowSender, Refused."""
    await begin(request, most)
    patience, body = Patience(), bytearray()
    while piece := await patience.wait(request.content.readany(), len(body)):
        body += piece
        if len(body) > most:
            raise TooLarge(f"the body is larger than {most} bytes")
    return bytes(body)


def announced_size(request: web.Request) -> int | None:
    """How many bytes the body has; None where its sender waits to be let go on, or does not say."""
    return None if "Expect" in request.headers else request.content_length


async def begin(request: web.Request, most: int | None) -> None:
    """Refuse what can be refused before the body is read, and then let a sender that waits for it go on.

    `most` is the limit in bytes, None where each part has one of its own. Raises TooLarge, UnsupportedBody, Refused.
    """
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise UnsupportedBody("Content-Encoding: send the bytes as they are")
    if "Content-Range" in request.headers:
        raise Refused(400, "Content-Range: send the whole body")
    if most is not None and (request.content_length or 0) > most:
        raise TooLarge(f"the body has {request.content_length} bytes: at most {most} are allowed")
    if "Expect" in request.headers:
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0  # what has been written is no part of the answer


async def expect(request: web.Request) -> None:
    """The routes' handler of `Expect`: no `100 Continue` is sent before `begin` has looked at the request."""
    if request.headers.get("Expect", "").lower() != "100-continue":
        raise web.HTTPExpectationFailed(text="Expect: only 100-continue is known")
