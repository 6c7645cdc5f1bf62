"""Accept connections to the service, bound their time, and answer malformed HTTP with a problem."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import time
from collections.abc import AsyncIterator

from aiohttp import http_exceptions, web

from gateway.errors import Refused
from service.api.http.aiohttp_private import current_request, parsed_messages, requests_read
from service.api.http.problems import answer
from service.runtime.sockets import BACKLOG

LONGEST_LINE = 64 * 1024  # bytes of a request line or header; what is too long is then told by the contract
MOST_HEADERS = 128
READ_AHEAD = 32 * 1024  # bytes of a body beyond which no more is read until they are taken; one read is up to 256 KB
FIRST_REQUEST = 10.0  # seconds until the headers of a connection's first request are there
KEEP_ALIVE = 75.0  # seconds that a connection may idle; longer than nginx keeps one to us
LINGER = 2.0  # seconds that the rest of a refused body is taken before the connection is closed
HEAR_OUT = 1.0  # seconds that a new connection has to make its request when the service stops
NAME = "image-gateway"  # the Server header; it names no software and no version

NOTHING = logging.Logger("nothing", logging.CRITICAL + 1)  # aiohttp's access log, which is not used

log = logging.getLogger(__name__)


@contextlib.asynccontextmanager
async def listening(app: web.Application, listen: socket.socket, shutdown: float) -> AsyncIterator[None]:
    """Serve `app` at a socket that listens; requests under way may take `shutdown` seconds at the end."""
    app.on_response_prepare.append(_name_server)
    runner = web.AppRunner(
        app,
        access_log=None,
        handler_cancellation=True,
        shutdown_timeout=shutdown,
    )
    await runner.setup()
    try:
        server = await _open(runner, listen)
        try:
            yield
        finally:
            server.close()
            await _hear_out(runner)
    finally:
        await runner.cleanup()


async def _open(runner: web.AppRunner, listen: socket.socket) -> asyncio.Server:
    loop, manager = asyncio.get_running_loop(), runner.server
    assert manager is not None  # it is set up

    def connection() -> web.RequestHandler:
        return _Connection(
            manager,
            loop=loop,
            access_log=NOTHING,
            keepalive_timeout=KEEP_ALIVE,
            lingering_time=LINGER,
            max_line_size=LONGEST_LINE,
            max_field_size=LONGEST_LINE,
            max_headers=MOST_HEADERS,
            auto_decompress=False,
            read_bufsize=READ_AHEAD // 2,  # aiohttp stops at twice that
        )

    # Not create_unix_server: since Python 3.13 its server removes the socket's file, which the next service needs.
    return await loop.create_server(connection, sock=listen.dup(), backlog=BACKLOG)


async def _hear_out(runner: web.AppRunner) -> None:
    """Wait until each accepted connection has sent its request, which would be lost with it."""
    end = time.monotonic() + HEAR_OUT
    await asyncio.sleep(0.01)  # the connection that was accepted last may not be registered yet
    while time.monotonic() < end and runner.server is not None:
        if not any(isinstance(one, _Connection) and one.is_new for one in runner.server.connections):
            return
        await asyncio.sleep(0.01)


class _Connection(web.RequestHandler):
    """A connection that must make its first request soon, and whose errors are problems."""

    _waiting: asyncio.TimerHandle | None = None

    @property
    def is_new(self) -> bool:
        """Whether it has not made a request yet."""
        return self._waiting is not None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._waiting = asyncio.get_running_loop().call_later(FIRST_REQUEST, self.force_close)

    def data_received(self, data: bytes) -> None:
        messages = parsed_messages(self)
        before = len(messages)
        super().data_received(data)
        if self._waiting and requests_read(self):
            self._waiting.cancel()
            self._waiting = None
        if len(messages) > before and hasattr(messages[-1][0], "exc"):
            self._break_body()

    def _break_body(self) -> None:
        """What came is not HTTP. Within the body of a request under way, its handler gets the error; it would else
        wait for the rest in vain; and no answer follows to a second request, which there is not."""
        request = current_request(self)
        if request is None or request.content.is_eof():
            return
        parsed_messages(self).pop()
        request.content.set_exception(web.RequestPayloadError("the body is broken"))
        request.content.feed_eof()
        self.close()

    def connection_lost(self, exc: BaseException | None) -> None:
        if self._waiting:
            self._waiting.cancel()
        super().connection_lost(exc)

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        if isinstance(resp, web.HTTPException) and resp.status >= 400:  # raised where no middleware sees it
            resp = answer(resp)
        finished: tuple[web.StreamResponse, bool] = await super().finish_response(request, resp, start_time)
        return finished

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """What a request gets that cannot be read, or that nothing else answers. What it said is not logged, for
        that may hold a signature or a token."""
        if request.writer.output_size > 0:
            raise ConnectionError("an answer was begun; there is no second one")
        if status == 400:
            log.debug("a request that is not HTTP: %s", type(exc).__name__)
            response = answer(Refused(400, _detail(exc)))
        else:
            response = answer(exc if isinstance(exc, Exception) else RuntimeError(f"{status}: {message}"))
        response.headers["Server"] = NAME
        response.force_close()
        return response


def _detail(error: BaseException | None) -> str:
    if isinstance(error, http_exceptions.LineTooLong):
        return f"the request line or a header has more than {LONGEST_LINE} bytes"
    return "the request is not valid HTTP/1.1"


async def _name_server(_request: web.Request, response: web.StreamResponse) -> None:
    response.headers["Server"] = NAME
