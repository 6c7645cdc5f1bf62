"""What a miss costs the service: CPU of its process for an image that is nowhere, with engines that do nothing.

Requests come over the unix socket as nginx sends them, several at once. Both kinds of misses are measured in turn: the
first image of an original that this node has not seen, and another size of one that it has. Originals are in a
directory. `bench/run misses` exits with the number of rows over the bar.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bench.clients import Clients, Connection
from bench.processes import cpu
from service.runtime.configuration import read_config
from service.runtime.paths import paths_of
from tests import images
from tests.gateways import free_ports, write_config

BAR = 1.6
"""Milliseconds: 600 misses a second on the core that the event loop has."""

ROUNDS = 6
REQUESTS = 400  # of each kind in each round
AT_ONCE = 8
START = 60.0  # seconds
FIRST, ANOTHER = "the first image of an original", "another size of it"


@dataclass
class FrontClients(Clients):
    """Clients of the unix socket that nginx asks."""

    socket: Path = field(default_factory=Path)

    async def _connect(self) -> Connection:
        _, connection = await asyncio.get_running_loop().create_unix_connection(Connection, str(self.socket))
        return connection


def main() -> int:
    """Print the table; the number of rows over the bar."""
    with tempfile.TemporaryDirectory() as folder:
        costs = measure(Path(folder))
    print("\n| miss | the service's CPU, ms | bar |\n| --- | --- | --- |")
    for kind, cost in costs.items():
        print(f"| {kind} | {cost:.2f} | {BAR} |", flush=True)
    return sum(cost > BAR for cost in costs.values())


def measure(root: Path) -> dict[str, float]:
    """Milliseconds by kind of miss, the median of the rounds."""
    costs: dict[str, list[float]] = {FIRST: [], ANOTHER: []}
    widths = itertools.count(100)
    with running_service(root) as (process, socket):
        for turn in range(ROUNDS + 1):  # the first warms up
            names = _originals(root / "originals", turn)
            for kind, asked in ((FIRST, names), (ANOTHER, names[:1] * REQUESTS)):
                paths = [f"/images/{name}/@w={next(widths)}.webp" for name in asked]
                before = cpu([process.pid])
                asyncio.run(ask_all(socket, paths))
                if turn:
                    costs[kind].append((cpu([process.pid]) - before) * 1000 / REQUESTS)
    return {kind: statistics.median(found) for kind, found in costs.items()}


@contextlib.contextmanager
def running_service(root: Path) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """The service alone, with stub engines and a directory of originals, and its socket."""
    options = {
        "engine": {"processes": 2},
        "limits": {"width": 65_535, "height": 65_535},
        "cache": {"derived_per_image": 0},
        "store": {"directory": {"root": str(root / "originals")}},
    }
    (root / "originals").mkdir()
    file = write_config(root, options, free_ports(2))
    config, _ = read_config(file)
    ready = paths_of(config).service_pid
    process = subprocess.Popen([sys.executable, "-m", "bench.stub_service", str(file)])
    try:
        end = time.monotonic() + START
        while not ready.exists():
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError("the service did not start")
            time.sleep(0.05)
        yield process, paths_of(config).socket
    finally:
        process.terminate()
        process.wait(START)


def _originals(folder: Path, turn: int) -> list[str]:
    """Names of REQUESTS new originals, all alike."""
    data = images.jpeg(images.photo(640, 480))
    names = [f"photos/{turn}-{number}.jpg" for number in range(REQUESTS)]
    (folder / "photos").mkdir(exist_ok=True)
    for name in names:
        (folder / name).write_bytes(data)
    os.sync()  # no page of these is written while misses are measured
    return names


async def ask_all(socket: Path, paths: list[str]) -> None:
    """Ask for every path once, AT_ONCE at a time. Raises RuntimeError for any answer but 200."""
    clients, left = FrontClients("", 0, socket=socket), iter(paths)

    async def client() -> None:
        for path in left:
            status, _ = await clients.ask(path)
            if status != 200:
                raise RuntimeError(f"{path} was answered with {status}")

    await asyncio.gather(*(client() for _ in range(AT_ONCE)))
    clients.close()


if __name__ == "__main__":
    raise SystemExit(main())
