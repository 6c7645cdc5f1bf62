"""Connections to the service: bounded in time, and what is not HTTP is answered like every other failure."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from pathlib import Path

from aiohttp import http_exceptions, web

from gateway.errors import Refused
from gateway.units import split_listen
from service.api.problems import answer

LONGEST_LINE = 64 * 1024  # bytes of a request line or header; what is too long is then told by the contract
MOST_HEADERS = 128
FIRST_REQUEST = 10.0  # seconds until the headers of a connection's first request are there
KEEP_ALIVE = 75.0  # seconds that a connection may idle; longer than nginx keeps one to us
LINGER = 2.0  # seconds that the rest of a refused body is taken before the connection is closed
BACKLOG = 1024  # connections that the kernel holds until they are accepted
NAME = "image-gateway"  # the Server header; what runs here, and in which version, is nobody's business

NOTHING = logging.Logger("nothing", logging.CRITICAL + 1)  # aiohttp's access log, which nobody reads

log = logging.getLogger(__name__)


@contextlib.asynccontextmanager
async def listening(app: web.Application, listen: str | Path, shutdown: float) -> AsyncIterator[None]:
    """Serve `app` at HOST:PORT, or at a unix socket; requests under way may take `shutdown` seconds at the end.

    Raises OSError where nobody can listen there.
    """
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
    finally:
        await runner.cleanup()


async def _open(runner: web.AppRunner, listen: str | Path) -> asyncio.Server:
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
        )

    if isinstance(listen, Path):
        await asyncio.to_thread(listen.unlink, missing_ok=True)
        return await loop.create_unix_server(connection, str(listen), backlog=BACKLOG)
    host, port = split_listen(listen)
    return await loop.create_server(connection, host, port, backlog=BACKLOG)


class _Connection(web.RequestHandler):
    """A connection that must make its first request soon, and whose errors are problems."""

    _waiting: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._waiting = asyncio.get_running_loop().call_later(FIRST_REQUEST, self.force_close)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._waiting and self._request_count:
            self._waiting.cancel()
            self._waiting = None

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
        """What a request gets that cannot be read, or that nothing else answers. The log is not told what it said, for
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
