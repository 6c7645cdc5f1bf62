"""What many different URLs of a dialect do to nginx: its memory, and the CPU of a remembered hit and of a URL that is
asked for the first time, before and after 100,000 of them. Once its dictionary is full and each worker has had its
share, nginx must neither grow nor become slower. Costs are multiples of a canonical name's in the same round, which a
busy machine slows alike."""

from __future__ import annotations

import statistics
import sys
import tempfile
from collections.abc import Iterable
from itertools import count, islice, repeat
from pathlib import Path
from socket import socket

from bench.hits import DIALECT, connection, cpu, drive, request
from tests import images
from tests.gateways import Gateway, running_gateway

FIRST, URLS = 20_000, 100_000  # those that fill the dictionary, and those that follow
PER_CONNECTION = 10_000  # nginx ends a connection after its 100,000th request
CANONICAL = "/images/photos/cat.jpg/@w=900.webp"
MEMORY = 2**20  # bytes of `dialects.memory`: less than a tenth of what the URLs would take
ROUNDS, REQUESTS = 20, 500
MOST_SLOWER = 1.1
MOST_GROWN = 2**18  # bytes of all workers


def main() -> int:
    """Print the table; the number of figures over their bar."""
    with (
        tempfile.TemporaryDirectory() as folder,
        running_gateway(Path(folder), {"dialects": {"memory": MEMORY, "iiif": {"prefix": "/iiif/3"}}}) as gateway,
    ):
        assert gateway.upload("photos/cat.jpg", images.jpeg(images.photo(1600, 1200))).status_code == 201
        return over(*measure(gateway))


def measure(gateway: Gateway) -> tuple[dict[str, float], dict[str, float]]:
    """nginx's CPU for a remembered hit and a new URL, and bytes of its workers: at first, and after all URLs."""
    numbers = count()
    with connection(gateway) as plug:
        drive(plug, request(DIALECT, "*/*"), 100)
    ask(gateway, 0, FIRST)
    with connection(gateway) as plug:
        first = figures(gateway, plug, numbers)
    ask(gateway, FIRST, URLS)
    with connection(gateway) as plug:
        return first, figures(gateway, plug, numbers)


def ask(gateway: Gateway, begin: int, count: int) -> None:
    """So many URLs that are all different, from this number on."""
    for start in range(begin, begin + count, PER_CONNECTION):
        with connection(gateway) as plug:
            for number in range(start, start + PER_CONNECTION):
                drive(plug, request(f"{DIALECT}?url={number}", "*/*"), 1)


def figures(gateway: Gateway, plug: socket, numbers: count[int]) -> dict[str, float]:
    nginx = gateway.pids("nginx: worker")
    costs: dict[str, list[float]] = {"remembered": [], "new": []}
    for _ in range(ROUNDS):
        canonical = cost(nginx, plug, repeat(CANONICAL, REQUESTS))
        costs["remembered"].append(cost(nginx, plug, repeat(DIALECT, REQUESTS)) / canonical)
        new = (f"{DIALECT}?new={number}" for number in islice(numbers, REQUESTS // 10))
        costs["new"].append(cost(nginx, plug, new) / canonical)
    return {**{kind: statistics.median(found) for kind, found in costs.items()}, "bytes": sum(map(resident, nginx))}


def cost(nginx: list[int], plug: socket, targets: Iterable[str]) -> float:
    """Nanoseconds of nginx's CPU for a request, the mean of all."""
    sent = [request(target, "*/*") for target in targets]
    began = cpu(nginx)
    for one in sent:
        drive(plug, one, 1)
    return (cpu(nginx) - began) / len(sent)


def resident(pid: int) -> int:
    """Bytes that a process has in memory; what workers share counts for each in part."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


def over(first: dict[str, float], last: dict[str, float]) -> int:
    """Print both; the number of bars that the last exceed."""
    print(f"{'':<16}{'first':>10}{f'after {URLS:,} URLs':>22}{'':>8}{'bar':>6}")
    exceeded = 0
    for kind in ("remembered", "new"):
        slower = last[kind] / first[kind]
        exceeded += slower > MOST_SLOWER
        print(f"{kind:<16}{first[kind]:>10.2f}{last[kind]:>22.2f}{slower:>8.2f}{MOST_SLOWER:>6}")
    grown = last["bytes"] - first["bytes"]
    print(f"{'memory, KiB':<16}{first['bytes'] / 1024:>10.0f}{last['bytes'] / 1024:>22.0f}{grown / 1024:>+8.0f}")
    print(f"bar {MOST_GROWN / 1024:+.0f} KiB")
    return exceeded + (grown > MOST_GROWN)


if __name__ == "__main__":
    sys.exit(main())
