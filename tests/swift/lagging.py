"""A proxy on loopback before a Swift whose replicas lag: rows show late, and objects are answered as they were.

What Swift does under load cannot be provoked with one process; everything else here is Swift's own.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer
from multidict import CIMultiDict
from yarl import URL

HOP = ("Connection", "Content-Length", "Content-Encoding", "Transfer-Encoding", "Keep-Alive", "Date")


@dataclass
class Answer:
    status: int
    headers: CIMultiDict[str]
    body: bytes

    def sent(self) -> web.Response:
        return web.Response(status=self.status, headers=self.headers, body=self.body)


@dataclass
class LaggingSwift:
    """Listens at `url`. The row of an object shows `rows` seconds after its PUT, by its path. For `stale` seconds
    after a PUT an object is answered as it was before, unless X-Newest is asked for. `slow` says for how many seconds a
    PUT waits, by its path, `loses` of which paths the answer to a PUT is lost, and `refuses` which are not taken."""

    upstream: str
    url: str = ""
    rows: Callable[[str], float] = lambda path: 0.0
    stale: float = 0.0
    slow: Callable[[str], float] = lambda path: 0.0
    loses: Callable[[str], bool] = lambda path: False
    refuses: Callable[[str], bool] = lambda path: False
    _put: dict[str, float] = field(default_factory=dict)
    _shows: dict[str, float] = field(default_factory=dict)
    _former: dict[str, Answer] = field(default_factory=dict)

    @contextlib.asynccontextmanager
    async def running(self, host: str = "127.0.0.1") -> AsyncIterator[LaggingSwift]:
        app = web.Application(client_max_size=2**24)
        app.router.add_route("*", "/{path:.*}", self._pass)
        server = TestServer(app, host=host)
        await server.start_server()
        self.url = f"http://{host}:{server.port}"
        connector = aiohttp.TCPConnector(limit=0, force_close=True)
        async with aiohttp.ClientSession(connector=connector, auto_decompress=False) as self._client:
            yield self
        await server.close()

    async def _pass(self, request: web.Request) -> web.Response:
        body, path = await request.read(), request.path
        if request.method == "PUT":
            return await self._take(request, body, path)
        former = None if self._is_newest(request) else self._former.get(path)
        if former and time.monotonic() - self._put.get(path, 0.0) < self.stale:
            return former.sent()
        answer = await self._ask(request.method, request, body)
        if request.method == "GET" and request.query.get("format") == "json" and answer.status == 200:
            answer.body = json.dumps(self._shown(path, json.loads(answer.body))).encode()
        return answer.sent()

    async def _take(self, request: web.Request, body: bytes, path: str) -> web.Response:
        if self.refuses(path):
            return web.Response(status=503)
        await asyncio.sleep(self.slow(path))
        if self.stale:
            self._former[path] = await self._ask("GET", request, b"")
        answer = await self._ask("PUT", request, body)
        self._put[path] = time.monotonic()
        self._shows[path] = self._put[path] + self.rows(path)
        if self.loses(path):
            assert request.transport
            request.transport.abort()
        return answer.sent()

    async def _ask(self, method: str, request: web.Request, body: bytes) -> Answer:
        headers = CIMultiDict(request.headers)
        for name in ("Connection", "Transfer-Encoding", "Content-Length", "Expect", "If-None-Match"):
            if name != "If-None-Match" or method == "GET":
                headers.popall(name, None)
        url = URL(f"{self.upstream}{request.raw_path}", encoded=True)
        async with self._client.request(method, url, headers=headers, data=body or None) as answer:
            kept = CIMultiDict((name, value) for name, value in answer.headers.items() if name not in HOP)
            if method == "HEAD" and "Content-Length" in answer.headers:
                kept["Content-Length"] = answer.headers["Content-Length"]
            kept["Date"] = answer.headers["Date"]
            return Answer(answer.status, kept, await answer.read())

    def _shown(self, container: str, rows: list[dict[str, object]]) -> list[dict[str, object]]:
        now = time.monotonic()
        return [row for row in rows if self._shows.get(f"{container}/{row.get('name')}", 0.0) <= now]

    @staticmethod
    def _is_newest(request: web.Request) -> bool:
        return request.headers.get("X-Newest", "").lower() == "true" or request.method == "DELETE"
