"""What `cache.persist: always` costs on Swift against `url`: CPU for a miss, bytes in Swift, and a Swift that is slow.

A real Swift on loopback; the CPU is that of the gateway's own processes until nothing is on its way any more.
"""

from __future__ import annotations

import contextlib
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.photographs import photo
from bench.processes import cpu, tree
from tests.gateways import running_gateway
from tests.swift.server import SwiftServer, running_swift
from tests.swift.stores import client, make_originals, settings_for

MISSES = 100
ROUNDS = 3
NAME = "photos/a.jpg"


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
    return 0


def measure(root: Path, swift: SwiftServer, policy: str) -> tuple[float, int, int]:
    """CPU seconds for a miss, objects and bytes in the derived container."""
    settings = settings_for(swift.url)
    make_originals(swift.url, settings)
    names = ("auth_url", "user", "key", "container", "derived_container")
    options: dict[str, Any] = {
        "store": {"kind": "swift", "swift": {name: getattr(settings, name) for name in names}},
        "cache": {"persist": policy},
    }
    with running_gateway(root, options) as gateway:
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


def derived(connection: Any, container: str) -> tuple[int, int]:
    """Objects and bytes; of JPEGs, which leaves out what was made before."""
    _, rows = connection.get_container(container, full_listing=True)
    sizes = [row["bytes"] for row in rows if row["name"].endswith(".jpg")]
    return len(sizes), sum(sizes)


if __name__ == "__main__":
    raise SystemExit(main())
