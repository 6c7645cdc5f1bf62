"""A stand-in for a Swift that takes 20 ms for each request: it logs in, lists and deletes what it was told to hold.

`python -m bench.slow_swift OBJECTS [bulk]` prints its URL. `GET /crowd` tells how many requests were under way at once.
"""

from __future__ import annotations

import asyncio
import json
import sys
from urllib.parse import unquote

from aiohttp import web

TAKES = 0.02  # seconds for each request
CONTAINER = "derived"
IMAGE = "a.jpg"


class SlowSwift:
    def __init__(self, objects: int, *, bulk: bool) -> None:
        self.names = sorted(f"{IMAGE}/@w={number}.jpg" for number in range(objects))
        self.bulk = bulk
        self.now = self.most = self.requests = 0

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path == "/crowd":
            return web.json_response({"most": self.most, "requests": self.requests, "left": len(self.names)})
        self.requests += 1
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            body = await request.text()
            await asyncio.sleep(TAKES)
            return self._found(request, body)
        finally:
            self.now -= 1

    def _found(self, request: web.BaseRequest, body: str) -> web.Response:
        headers = {"X-Trans-Id": "tx"}
        url = f"{request.scheme}://{request.host}"
        if request.path.startswith("/auth"):
            return web.Response(headers={"X-Storage-Url": f"{url}/v1/AUTH_x", "X-Auth-Token": "token"})
        if request.path == "/info":
            return web.json_response({"bulk_delete": {"max_deletes_per_request": 10000}} if self.bulk else {})
        if "bulk-delete" in request.query:
            gone = {unquote(line).removeprefix(f"/{CONTAINER}/") for line in body.split()}
            there = len(self.names)
            self.names = [name for name in self.names if name not in gone]
            told = {"Number Deleted": there - len(self.names), "Errors": [], "Response Status": "200 OK"}
            return web.Response(text=json.dumps(told), headers=headers)
        name = request.path.removeprefix(f"/v1/AUTH_x/{CONTAINER}/")
        if request.method == "DELETE":
            known = name in self.names
            if known:
                self.names.remove(name)
            return web.Response(status=204 if known else 404, headers=headers)
        if request.method == "GET" and "format" in request.query:
            marker = request.query.get("marker", "")
            rows = [
                {"name": one, "bytes": 1, "hash": "0" * 32, "last_modified": "2026-01-01T00:00:00.000000"}
                for one in self.names
                if one > marker
            ]
            return web.json_response(rows[: int(request.query.get("limit", 10000))], headers=headers)
        return web.Response(status=204, headers=headers)


async def main() -> None:
    swift = SlowSwift(int(sys.argv[1]), bulk="bulk" in sys.argv[2:])
    runner = web.ServerRunner(web.Server(swift.answer))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    print(f"http://{host}:{port}", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
