"""Overload: requests for images that have to be made arrive at four times the rate at which they can be made. What is
measured: good answers against capacity, how soon the others are refused, hits meanwhile, CPU time per good answer, and
how soon everything is as before. `python -m bench.overload [SECONDS]` exits with the number of bars that are missed."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from tests import images
from tests.gateways import Gateway, descendants, running_gateway

SECONDS = 20.0
TIMES = 4  # the capacity
CLIENTS = 8  # that ask one after the other, to find the capacity
ORIGINALS = 24
PATIENCE = 15.0  # seconds until a client gives up
HIT = "/images/0.jpg/@w=90.jpg"
_serial = itertools.count()

Work = Callable[[Gateway, "Seen", float], Awaitable[None]]


@dataclass
class Seen:
    """Answers by status (0 for none), each with the seconds it took; hits with theirs; CPU seconds of the gateway."""

    answers: dict[int, list[float]] = field(default_factory=dict)
    hits: list[float] = field(default_factory=list)
    seconds: float = 0.0
    cpu: float = 0.0

    @property
    def cpu_per_good(self) -> float:
        """In milliseconds."""
        return 1000 * self.cpu / max(1, len(self.answers.get(200, ())))

    @property
    def goodput(self) -> float:
        return len(self.answers.get(200, ())) / self.seconds

    def line(self, name: str) -> str:
        good, refused = self.answers.get(200, [0.0]), self.answers.get(503, [])
        counts = ", ".join(f"{len(took)} x {status}" for status, took in sorted(self.answers.items()))
        return (
            f"{name:<10} good/s {self.goodput:6.1f}  median {percentile(good, 50):6.0f} ms  CPU/good "
            f"{self.cpu_per_good:5.1f} ms  refused p50 {percentile(refused, 50):4.0f} "
            f"p99 {percentile(refused, 99):4.0f} ms  hit p50 {percentile(self.hits, 50):5.1f} "
            f"p99 {percentile(self.hits, 99):5.1f} ms  [{counts}]"
        )


def percentile(seconds: list[float], share: int) -> float:
    """In milliseconds; 0 where there is nothing."""
    ordered = sorted(seconds)
    return 1000 * ordered[min(len(ordered) - 1, len(ordered) * share // 100)] if ordered else 0.0


def main(seconds: float = SECONDS) -> int:
    """Print what is seen; the number of bars that are missed."""
    with (
        tempfile.TemporaryDirectory() as folder,
        running_gateway(Path(folder, "gateway"), {"engine": {"processes": "auto"}}) as gateway,
    ):
        for number in range(ORIGINALS):
            data = images.jpeg(images.photo(1600, 1200, seed=number))
            assert gateway.upload(f"{number}.jpg", data).status_code == 201
        assert gateway.public.get(HIT).status_code == 200
        return asyncio.run(measure(gateway, seconds))


async def measure(gateway: Gateway, seconds: float) -> int:
    """Print what is seen; the number of bars that are missed."""
    await load(gateway, 3.0, clients)  # everything is warm
    capacity = await load(gateway, seconds, clients)
    print(capacity.line("capacity"), flush=True)
    flood = await load(gateway, seconds, partial(arrivals, rate=TIMES * capacity.goodput))
    print(flood.line(f"{TIMES} times"), flush=True)
    await asyncio.sleep(1.0)
    after = await load(gateway, seconds / 2, clients)
    print(after.line("after"), flush=True)
    refused = percentile(flood.answers.get(503, []), 99)
    bars = {
        "good answers, of the capacity before and after, at least 0.9": (
            2 * flood.goodput / (capacity.goodput + after.goodput),
            0.9,
        ),
        "CPU time per good answer, of that before and after, at most 1.1": (
            2 * flood.cpu_per_good / (capacity.cpu_per_good + after.cpu_per_good),
            -1.1,
        ),
        "99th percentile of refusals, at most 50 ms": (refused, -50.0),
    }
    missed = 0
    for bar, (value, bound) in bars.items():
        wrong = value < bound if bound > 0 else value > -bound
        missed += wrong
        print(f"{bar}: {value:.2f}{'  MISSED' if wrong else ''}")
    return missed


async def load(gateway: Gateway, seconds: float, work: Work) -> Seen:
    """Let `work` ask for so many seconds, while hits are timed."""
    seen, began = Seen(), time.monotonic()
    before = cpu(gateway)
    hits = asyncio.create_task(hit(gateway, seen, began + seconds))
    await work(gateway, seen, began + seconds)
    await hits
    seen.seconds = time.monotonic() - began
    seen.cpu = cpu(gateway) - before
    return seen


async def clients(gateway: Gateway, seen: Seen, end: float) -> None:
    """A few clients, each of which asks again when it is answered."""

    async def client() -> None:
        while time.monotonic() < end:
            await miss(gateway, seen)

    await asyncio.gather(*(client() for _ in range(CLIENTS)))


async def arrivals(gateway: Gateway, seen: Seen, end: float, rate: float) -> None:
    """Requests that arrive at this rate a second, whether or not the earlier ones were answered."""
    async with asyncio.TaskGroup() as asked:
        due = time.monotonic()
        while due < end:
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            asked.create_task(miss(gateway, seen))
            due += 1 / rate


async def hit(gateway: Gateway, seen: Seen, end: float) -> None:
    while time.monotonic() < end:
        status, took = await ask(gateway, HIT)
        assert status == 200
        seen.hits.append(took)
        await asyncio.sleep(0.02)


async def miss(gateway: Gateway, seen: Seen) -> None:
    """Ask for an image that nobody has asked for yet."""
    number = next(_serial)
    path = f"/images/{number % ORIGINALS}.jpg/@crop=0:0:{1600 - number % 97}:{1200 - number // 97 % 89},w=640.jpg"
    status, took = await ask(gateway, path)
    seen.answers.setdefault(status, []).append(took)


async def ask(gateway: Gateway, path: str) -> tuple[int, float]:
    """The status of the answer, 0 where there was none, and the seconds until the whole of it was there."""
    url, began, status = gateway.public.base_url, time.monotonic(), 0
    try:
        async with asyncio.timeout(PATIENCE):
            reader, writer = await asyncio.open_connection(url.host, url.port)
            try:
                writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
                status = int((await reader.read())[9:12])
            finally:
                writer.close()
    except (OSError, TimeoutError, ValueError):
        status = 0
    return status, time.monotonic() - began


def cpu(gateway: Gateway) -> float:
    """Seconds that the gateway has been on a core, with the engine processes that have ended: see proc(5), utime to
    cstime."""
    ticks = 0
    for pid in descendants(gateway.process.pid):
        with contextlib.suppress(FileNotFoundError):  # it has just ended, and counts for its parent now
            stat = Path(f"/proc/{pid}/stat").read_text()
            ticks += sum(int(one) for one in stat.rpartition(")")[2].split()[11:15])
    return ticks / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    raise SystemExit(main(*map(float, sys.argv[1:])))
