"""What many uploads at once cost on Swift: through the gateway, and straight to the store.

UPLOADS JPEGs of 2 MB, no two alike, AT_ONCE at a time, against a real Swift in one process. Clients, Swift and the
gateway share this machine, so CPU of processes is compared, not time: what Swift, the service and the engine spend on
uploads through the gateway, against what Swift spends on the same PUTs alone, and the engine on its checks.

Straight to the store, what the service spends on one upload besides the check. The check is that of the copy: the
engine's, which is a process of its own, and before it the GET that reads the copy once into a file, with its SHA-256.
What that takes is measured by the same code in this process, on objects that are as large, and subtracted; a row of its
own shows it.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from bench.processes import cpu, total_cpu, tree, watched
from service.store.errand import Errand
from service.store.swift.transfer import download
from tests.conftest import swift_options
from tests.gateways import Gateway, running_gateway
from tests.swift.server import SwiftServer, running_swift
from tests.swift.stores import client, settings_for, started

UPLOADS = int(os.environ.get("BENCH_UPLOADS", "1000"))
AT_ONCE = 64
PATIENCE = 120.0  # seconds that Swift may take for an answer
READERS = 8  # threads that read objects, with a connection each
RATIO, MEMORY, SWIFT, OBJECTS, DIRECT, READ = (
    "through the gateway, of the store's and the checks' CPU",
    "memory, MiB",
    "through the gateway, Swift's CPU of what it is for the PUTs alone",
    "through the gateway, objects of the journal for each upload",
    "straight, the service's CPU besides the check, ms",
    "of the check, the service's CPU for reading and hashing the copy, ms",
)
BARS = {RATIO: 1.2, MEMORY: 150.0, DIRECT: 5.0}

Send = Callable[[aiohttp.ClientSession, int], Awaitable[None]]


@dataclass(frozen=True)
class Cost:
    """Seconds of CPU, and the bytes that the gateway held at most."""

    swift: float
    service: float
    engine: float
    memory: int


@dataclass(frozen=True)
class Bench:
    """A gateway on a Swift, and the picture that is uploaded."""

    gateway: Gateway
    swift: SwiftServer
    swift_pid: int
    picture: bytes

    def of(self, number: int) -> bytes:
        """The picture with a comment (ITU-T T.81, B.2.4.5) of its own."""
        comment = f"{time.time_ns():020}{number:08}".encode()
        return self.picture[:2] + b"\xff\xfe" + (2 + len(comment)).to_bytes(2, "big") + comment + self.picture[2:]

    def cost(self, send: Send) -> Cost:
        """What UPLOADS of these cost."""
        service = self.gateway.pids("service serve")[0]

        def spent() -> tuple[float, float, float]:
            return cpu(tree(self.swift_pid)), cpu([service]), total_cpu(tree(service))

        before = spent()
        with watched(self.gateway.process.pid) as peak:
            asyncio.run(_all(send))
        swift, own, whole = (after - first for after, first in zip(spent(), before, strict=True))
        return Cost(swift, own, whole - own, peak.shared)


async def _all(send: Send) -> None:
    numbers = iter(range(UPLOADS))

    async def work(http: aiohttp.ClientSession) -> None:
        for number in numbers:
            await send(http, number)

    connector, timeout = aiohttp.TCPConnector(limit=0), aiohttp.ClientTimeout(total=600)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as http:
        await asyncio.gather(*(work(http) for _ in range(AT_ONCE)))


def measure(root: Path, picture: bytes) -> dict[str, float]:
    """The rows of BARS, and those that have none."""
    with running_swift(root / "swift") as swift:
        options: dict[str, Any] = swift_options(swift)
        options["store"]["swift"] |= {"incoming_container": "incoming", "timeout": f"{PATIENCE:g}s"}
        options["limits"] = {"queue": 1000}
        options["cache"] = {"persist": "url"}  # so that the originals are all that is put
        container = options["store"]["swift"]["container"]
        with running_gateway(root / "gateway", options) as gateway:
            assert swift._process is not None
            bench = Bench(gateway, swift, swift._process.pid, picture)
            alone = bench.cost(_to_swift(bench, container))
            through = bench.cost(_through(bench))
            objects = _objects_of_journal(swift, container)
            direct = bench.cost(_straight(bench))
        read = asyncio.run(_reading(swift.url, container, root))
    spent = through.swift + through.service + through.engine
    return {
        RATIO: spent / (alone.swift + through.engine),
        MEMORY: max(through.memory, direct.memory) / 2**20,
        SWIFT: through.swift / alone.swift,
        OBJECTS: objects / UPLOADS,
        DIRECT: (direct.service - read) * 1000 / UPLOADS,
        READ: read * 1000 / UPLOADS,
    }


def _objects_of_journal(swift: SwiftServer, container: str) -> int:
    with closing(client(swift.url)) as connection:
        headers, _ = connection.get_container(f"{container}-journal", limit=1)
    return int(headers["x-container-object-count"])


async def _reading(url: str, container: str, folder: Path) -> float:
    """Seconds of this process's CPU for reading each object of `_to_swift` once, as the service reads a copy."""
    numbers = iter(range(UPLOADS))

    def read(connection: Any, errand: Errand) -> None:
        for number in numbers:
            download(connection, container, f"alone-{number}", errand, PATIENCE, sha256=hashlib.sha256())

    async with started(settings_for(url, container=container)) as store:
        began = time.process_time()
        await asyncio.gather(*(store.pool.transfer(read, folder / f"read-{reader}") for reader in range(READERS)))
        return time.process_time() - began


def _to_swift(bench: Bench, container: str) -> Send:
    connection = client(bench.swift.url)
    url, token = connection.get_auth()
    connection.close()

    async def send(http: aiohttp.ClientSession, number: int) -> None:
        await _ok(http.put(f"{url}/{container}/alone-{number}", data=bench.of(number), headers={"X-Auth-Token": token}))

    return send


def _through(bench: Bench) -> Send:
    base = str(bench.gateway.api.base_url).rstrip("/")

    async def send(http: aiohttp.ClientSession, number: int) -> None:
        await _ok(http.put(f"{base}/images/through-{number}.jpg", data=bench.of(number)))

    return send


def _straight(bench: Bench) -> Send:
    base = str(bench.gateway.api.base_url).rstrip("/")

    async def send(http: aiohttp.ClientSession, number: int) -> None:
        data = bench.of(number)
        announced = {"name": f"straight-{number}.jpg", "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        begun = await _ok(http.post(f"{base}/uploads", json=announced))
        await _ok(http.put(begun["url"], data=data, headers=begun["headers"]))
        await _ok(http.post(base + begun["finish"]))

    return send


async def _ok(asked: Any) -> dict[str, Any]:
    async with asked as response:
        if response.status != 201:
            raise RuntimeError(f"{response.status}: {await response.text()}")
        return dict(await response.json()) if response.content_type == "application/json" else {}
