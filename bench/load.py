"""The API under load: 64 parallel uploads of 20 MB, then 64 parallel listings of 100 000 names. What is measured: the
service's memory before, at its highest, and after; and what a hit costs nginx meanwhile, in CPU time, against the same
hit on an idle gateway. `python -m bench.load` exits with the number of bars that are missed."""

from __future__ import annotations

import io
import re
import statistics
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import httpx
import numpy as np
from PIL import Image

from bench.hits import connection, cpu, drive, request
from tests import images
from tests.gateways import Gateway, running_gateway

PARALLEL = 64
NAMES = 100_000
SIDE = 2600  # pixels of a square of noise, which a PNG cannot compress: 20 MB
HIT = "/images/cat.jpg/@w=400.webp"
HITS = 2000  # at a time
MOST_SLOWER = 1.5  # CPU time of a hit under load against idle: caches of the processor are shared too
MOST_GROWN = 256  # MiB that the service may grow by


def main() -> int:
    """Print the table; the number of bars that are missed."""
    missed = 0
    with tempfile.TemporaryDirectory() as folder, running_gateway(Path(folder)) as gateway:
        assert gateway.upload("cat.jpg", images.jpeg(images.photo(800, 600))).status_code == 201
        idle = statistics.median(hit_cost(gateway) for _ in range(5))
        print(f"{'load':<12}{'before':>8}{'highest':>9}{'after':>7} MiB{'hit, µs':>10}{'ratio':>7}")
        print(f"{'none':<12}{resident(gateway, 'RSS'):>8}{'':>16}    {idle:>10.1f}{1:>7.2f}")
        for name, work in (("uploads", uploads), ("listings", listings)):
            before = resident(gateway, "RSS")
            costs = while_running(partial(work, gateway), lambda: hit_cost(gateway))
            highest, after = resident(gateway, "HWM"), resident(gateway, "RSS")
            cost = statistics.median(costs)
            print(f"{name:<12}{before:>8}{highest:>9}{after:>7}    {cost:>10.1f}{cost / idle:>7.2f}")
            missed += (cost / idle > MOST_SLOWER) + (highest - before > MOST_GROWN)
    return missed


def uploads(gateway: Gateway) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(noise).save(file, "PNG", compress_level=0)
    data = file.getvalue()
    print(f"uploads of {len(data)} bytes", file=sys.stderr)

    def one(number: int) -> int:
        return httpx.put(f"{gateway.api.base_url}/images/large/{number}.png", content=data, timeout=600).status_code

    with ThreadPoolExecutor(PARALLEL) as clients:
        assert set(clients.map(one, range(PARALLEL))) == {201}


def listings(gateway: Gateway) -> None:
    """The names are put into the store by hand: a directory of pictures is a valid store."""
    folder, tiny = gateway.root / "var/store/many", images.png(images.flat(1, 1, (0, 0, 0)))
    folder.mkdir()
    for number in range(NAMES):
        (folder / f"{number}.png").write_bytes(tiny)

    def one(_number: int) -> int:
        lines = 0
        address = f"{gateway.api.base_url}/images?prefix=many/"
        with httpx.stream("GET", address, headers={"Accept": "application/x-ndjson"}, timeout=600) as answer:
            for line in answer.iter_lines():
                lines += bool(line)
        return lines

    with ThreadPoolExecutor(PARALLEL) as clients:
        assert set(clients.map(one, range(PARALLEL))) == {NAMES}


def while_running(work: Callable[[], None], measure: Callable[[], float]) -> list[float]:
    """What is measured, again and again, until the work is done."""
    with ThreadPoolExecutor(1) as worker:
        working = worker.submit(work)
        measured = [measure()]
        while not working.done():
            measured.append(measure())
        working.result()
    return measured


def hit_cost(gateway: Gateway) -> float:
    """Microseconds of nginx's CPU for one hit."""
    workers = gateway.pids("nginx: worker")
    with connection(gateway) as plug:
        sent = request(HIT, "*/*")
        drive(plug, sent, 50)
        before = cpu(workers)
        drive(plug, sent, HITS)
        return (cpu(workers) - before) / HITS / 1000


def resident(gateway: Gateway, kind: str) -> int:
    """MiB of the service process: `RSS` now, `HWM` at its highest."""
    (pid,) = gateway.pids("service serve")
    found = re.search(rf"Vm{kind}:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) // 1024 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
