"""Nodes for tests: the whole service in this process, where its parts can be looked at, and nginx in front of it."""

from __future__ import annotations

import asyncio
import contextlib
import io
import socket
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from PIL import Image

from gateway.settings import Config
from service.api.http.context import Context
from service.app import running
from service.runtime.configuration import read_config
from service.runtime.paths import paths_of
from service.supervise import nginx_conf, nginx_program
from tests.gateways import free_ports, write_config
from tests.waiting import PATIENCE, eventually


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def colour(self) -> tuple[int, ...]:
        """The colour in the middle."""
        with Image.open(io.BytesIO(self.body)) as image:
            found = image.convert("RGB").getpixel((image.width // 2, image.height // 2))
        assert isinstance(found, tuple)
        return found


@dataclass(frozen=True, slots=True)
class Node:
    """A node: its parts, its folder, and its two ports."""

    context: Context
    config: Config
    root: Path
    client: aiohttp.ClientSession

    @property
    def derived(self) -> Path:
        return self.root / "var/cache/derived"

    @property
    def made(self) -> int:
        """Jobs that the engine has done."""
        return self.context.engine.stats.ended["done"]

    async def public(self, name: str, **headers: str) -> Answer:
        """GET through nginx."""
        return await self._ask("GET", f"http://{self.config.public.listen}/images/{name}", headers=headers)

    async def api(self, name: str, **headers: str) -> Answer:
        """GET from the service."""
        return await self._ask("GET", f"http://{self.config.api.listen}/images/{name}", headers=headers)

    async def upload(self, name: str, data: bytes) -> Answer:
        """Store an image, in place of what was there."""
        return await self.create(f"{name}?replace=true", data)

    async def create(self, name: str, data: bytes) -> Answer:
        """Store an image under a name that is free."""
        url = f"http://{self.config.api.listen}/images/{name}"
        return await self._ask("POST", url, data=data, headers={"Content-Type": "application/octet-stream"})

    async def delete(self, name: str) -> Answer:
        return await self._ask("DELETE", f"http://{self.config.api.listen}/images/{name}")

    async def _ask(self, method: str, url: str, **more: Any) -> Answer:
        async with self.client.request(method, url, **more) as response:
            return Answer(response.status, response.headers.copy(), await response.read())


@contextlib.asynccontextmanager
async def node(root: Path, options: Mapping[str, Any] | None = None, *, nginx: bool = False) -> AsyncIterator[Node]:
    """A running node below `root`; it is gone when the context ends."""
    root.mkdir(parents=True, exist_ok=True)
    config, _ = read_config(write_config(root, options or {}, free_ports(2)))
    connector = aiohttp.TCPConnector(limit=0)
    async with running(config) as context, contextlib.AsyncExitStack() as stack:
        if nginx:
            await stack.enter_async_context(_nginx(config, context))
        client = await stack.enter_async_context(aiohttp.ClientSession(connector=connector))
        yield Node(context, config, root, client)


async def all_is_cleared(one: Node) -> None:
    """Wait until nothing is left of unfinished work; the reaper deletes the folders of forgotten images by and by."""
    await eventually(lambda: not any(one.context.tasks.disk.work.folder.iterdir()))


@contextlib.asynccontextmanager
async def _nginx(config: Config, context: Context) -> AsyncIterator[None]:
    paths = paths_of(config)
    nginx_conf.write(nginx_conf.render(config, paths, context.rules), paths.nginx)
    process = await asyncio.create_subprocess_exec(*nginx_program.command(paths.nginx))
    host, _, port = config.public.listen.rpartition(":")
    try:
        await eventually(lambda: _listens(host, int(port)))
        yield
    finally:
        process.terminate()
        await process.wait()


def _listens(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=PATIENCE).close()
    except OSError:
        return False
    return True
