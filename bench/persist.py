"""What `cache.persist: always` costs on Swift against `url`: CPU for a miss, bytes in Swift, and a Swift that is slow.

A real Swift on loopback; the CPU is that of the gateway's own processes until nothing is on its way any more. The slow
Swift is the same behind a proxy that holds each PUT back for a second, while images are asked for at a steady rate.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from bench.photographs import photo
from bench.processes import cpu, tree
from tests.gateways import Gateway, running_gateway
from tests.swift.faults import Fault, FaultProxy
from tests.swift.server import SwiftServer, running_swift
from tests.swift.stores import client, make_originals, settings_for

MISSES = 100
ROUNDS = 3
NAME = "photos/a.jpg"
DELAY = 1.0  # seconds that the slow Swift takes for a PUT
RATES = (6, 20)  # misses a second: less, and more, than a slow Swift takes
DURATION = 40.0  # seconds


def main() -> int:
    """Prints a row for each policy. No bars: docs/swift.md quotes them."""
    with tempfile.TemporaryDirectory() as scratch, running_swift(Path(scratch) / "swift") as swift:
        rows: dict[str, list[tuple[float, int, int]]] = {"url": [], "always": []}
        for number in range(ROUNDS):
            for policy, found in rows.items():
                found.append(measure(Path(scratch) / f"{policy}{number}", swift, policy))
        for policy, found in rows.items():
            cpu, objects, size = min(found)
            print(
                f"persist  {policy:7} {1000 * cpu:6.2f} ms of CPU a miss  {objects:4} objects  {size:9} bytes in Swift"
            )
        for rate in RATES:
            print_backlog(Path(scratch) / f"slow{rate}", swift, rate)
    return 0


def measure(root: Path, swift: SwiftServer, policy: str) -> tuple[float, int, int]:
    """CPU seconds for a miss, objects and bytes in the derived container."""
    settings = settings_for(swift.url)
    make_originals(swift.url, settings)
    with running_gateway(root, options(settings, policy)) as gateway:
        gateway.upload(NAME, photo(root).read_bytes()).raise_for_status()
        gateway.public.get(f"/images/{NAME}/@w=99.webp").raise_for_status()
        with contextlib.closing(client(swift.url)) as connection:
            before = cpu(tree(gateway.process.pid))
            for width in range(100, 100 + MISSES):
                gateway.public.get(f"/images/{NAME}/@w={width}.jpg").raise_for_status()
            wanted = MISSES if policy == "always" else 0
            while (held := derived(connection, settings.derived_container))[0] < wanted:
                time.sleep(0.2)
            return (cpu(tree(gateway.process.pid)) - before) / MISSES, *held


def print_backlog(root: Path, swift: SwiftServer, rate: int) -> None:
    """Print how the backlog grows at so many misses a second while each PUT takes a second."""
    with slow(swift) as url:
        settings = settings_for(url)
        make_originals(swift.url, settings)
        with running_gateway(root, options(settings, "always")) as gateway:
            gateway.upload(NAME, photo(root).read_bytes()).raise_for_status()
            began, full = time.monotonic(), None
            with ThreadPoolExecutor(8) as clients:
                for number in range(int(rate * DURATION)):
                    time.sleep(max(0.0, began + number / rate - time.monotonic()))
                    clients.submit(gateway.public.get, f"/images/{NAME}/@w={100 + number}.jpg")
                    if full is None and number % rate == 0 and metric(gateway, "unpersisted_total"):
                        full = time.monotonic() - began
            made = int(rate * DURATION) / (time.monotonic() - began)
            waiting, unsent = metric(gateway, "write_behind"), metric(gateway, "unpersisted_total")
    filled = f"full after {full:.0f} s" if full else "never full"
    print(
        f"persist  slow Swift, {made:4.1f} misses a second: {filled}, {waiting:3.0f} on their way at the end,"
        f" {unsent:3.0f} not sent"
    )


def metric(gateway: Gateway, name: str) -> float:
    found = re.search(rf"^image_gateway_{name} (\S+)$", gateway.api.get("/metrics").text, re.MULTILINE)
    return float(found[1]) if found else 0.0


def options(settings: Any, policy: str) -> dict[str, Any]:
    names = ("auth_url", "user", "key", "container", "derived_container")
    return {
        "store": {"kind": "swift", "swift": {name: getattr(settings, name) for name in names}},
        "cache": {"persist": policy},
    }


@contextlib.contextmanager
def slow(swift: SwiftServer) -> Iterator[str]:
    """The URL of this Swift behind a proxy that holds each PUT of a derived image back."""
    started, stop, found = threading.Event(), asyncio.Event(), []

    async def serve() -> None:
        proxy = FaultProxy(swift.url)
        proxy.fault = Fault(lambda line: line.startswith("PUT ") and "/%40" in line, delay=DELAY)
        async with proxy.running():
            found.append((proxy.url, asyncio.get_running_loop()))
            started.set()
            await stop.wait()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    started.wait()
    url, loop = found[0]
    try:
        yield url
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()


def derived(connection: Any, container: str) -> tuple[int, int]:
    """Objects and bytes; of JPEGs, which leaves out what was made before."""
    _, rows = connection.get_container(container, full_listing=True)
    sizes = [row["bytes"] for row in rows if row["name"].endswith(".jpg")]
    return len(sizes), sum(sizes)


if __name__ == "__main__":
    raise SystemExit(main())
