"""Overload: requests for images that have to be made arrive at four times the rate at which they can be made. What is
measured: good answers against capacity, how soon the others are refused, hits meanwhile, CPU time per good answer, and
whether all is as before a second later. Then the same beside two neighbours that spin. `python -m bench.overload
[SECONDS]` exits with the number of bars that are missed.

The clients run on the same cores. Their CPU time is printed.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import AbstractContextManager
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import uvloop

from bench import neighbours, processes
from bench.answers import Seen, percentile
from bench.clients import Clients, timed
from tests import images
from tests.gateways import Gateway, descendants, running_gateway

SECONDS = 20.0
TIMES = 4  # the capacity
AT_ONCE = 8  # clients that ask one after the other, to find the capacity
ORIGINALS = 24
HIT = "/images/0.jpg/@w=90.jpg"
BETWEEN_HITS = 0.02  # seconds
MOST_SLOWER = 1.25  # that a hit may become, of its median
NEIGHBOURS = 2
TURNS = 4  # with each priority
AS_MUCH = 0.95  # CPU time with one priority, of that with another: what two runs of one kind differ by
_serial = itertools.count()

Work = Callable[[Clients, Seen, float], Awaitable[None]]
Under = partial[Coroutine[Any, Any, Seen]]


def main(seconds: float = SECONDS) -> int:
    """Print what is seen; the number of bars that are missed."""
    with (
        tempfile.TemporaryDirectory() as folder,
        running_gateway(Path(folder, "gateway"), {"engine": {"processes": "auto"}}) as gateway,
        ProcessPoolExecutor(1, get_context("spawn")) as executor,
    ):
        for number in range(ORIGINALS):
            data = images.jpeg(images.photo(1600, 1200, seed=number))
            assert gateway.upload(f"{number}.jpg", data).status_code == 201
        assert gateway.public.get(HIT).status_code == 200
        missed = uvloop.run(measure(gateway, executor, seconds))
        with neighbours.spinning(NEIGHBOURS) as pids:
            return missed + uvloop.run(measure_beside(pids, gateway, executor, seconds))


async def measure(gateway: Gateway, executor: Executor, seconds: float) -> int:
    """Print what is seen; the number of bars that are missed."""
    under = partial(load, gateway, executor)
    await under(3.0, steady)  # everything is warm
    before = await under(seconds, steady)
    print(before.line("capacity"), flush=True)
    flood = await under(seconds, partial(arrivals, rate=TIMES * before.goodput))
    print(flood.line(f"{TIMES} times"), flush=True)
    await asyncio.sleep(1.0)
    after = await under(seconds, steady)
    print(after.line("after"), flush=True)
    return report(before, flood, after)


async def measure_beside(pids: list[int], gateway: Gateway, executor: Executor, seconds: float) -> int:
    """As `measure`, beside neighbours of these ids; and whether the engine's priority costs good answers there. That is
    told by turns of both priorities, since what is left of a busy machine changes from minute to minute."""
    under = partial(load, gateway, executor)
    await under(3.0, steady)
    began, at = processes.cpu(pids), time.monotonic()
    before = await under(seconds, steady)
    flood = await under(seconds, partial(arrivals, rate=TIMES * before.goodput))
    after = await under(seconds, steady)
    share = (processes.cpu(pids) - began) / (time.monotonic() - at)
    for name, seen in (("capacity", before), (f"{TIMES} times", flood), ("after", after)):
        print(f"{seen.line(name)}  beside {len(pids)} neighbours, gateway {seen.cpu / seen.seconds:.2f} cores")
    print(f"neighbours {share:.2f} cores")
    bar = "beside neighbours: good answers, of the capacity before and after"
    value = 2 * flood.goodput / (before.goodput + after.goodput)
    missed = tell(bar, "at least", value, 0.9, value < 0.9)
    return missed + await measure_priority(pids, gateway, under, seconds)


async def measure_priority(pids: list[int], gateway: Gateway, under: Under, seconds: float) -> int:
    """Whether the gateway is on a core for less time with the engine's priority than with that of the service. It is
    compared with what the neighbours have in the same seconds, by turns, for others may come and go on the machine."""
    ways: tuple[Callable[[], AbstractContextManager[None]], ...] = (
        contextlib.nullcontext,
        partial(neighbours.as_nice_as_the_service, gateway),
    )
    shares = dict.fromkeys(ways, 0.0)
    for _, priority in itertools.product(range(TURNS), shares):
        began = processes.cpu(pids)
        with priority():
            seen = await under(seconds / TURNS, steady)
        shares[priority] += seen.cpu / (processes.cpu(pids) - began) / TURNS
    usual, same = shares.values()
    print(f"cores of the gateway for one of the neighbours': {usual:.2f}, at the service's own priority {same:.2f}")
    bar = "beside neighbours: CPU time, of that at the service's own priority"
    return tell(bar, "at least", usual / same, AS_MUCH, usual / same < AS_MUCH)


def report(before: Seen, flood: Seen, after: Seen) -> int:
    usual_hit = (percentile(before.hits, 50) + percentile(after.hits, 50)) / 2
    at_least = {
        "good answers, of the capacity before and after": (2 * flood.goodput / (before.goodput + after.goodput), 0.9),
        "a second later: good answers, of the capacity before": (after.goodput / before.goodput, 0.9),
    }
    at_most = {
        "CPU time per good answer, of that before and after": (
            2 * flood.cpu_per_good / (before.cpu_per_good + after.cpu_per_good),
            1.1,
        ),
        "99th percentile of refusals, ms": (percentile(flood.answers.get(503, []), 99), 50.0),
        "answers that are neither good nor a refusal": (flood.other, 0),
        "median of hits, of that before and after": (percentile(flood.hits, 50) / usual_hit, MOST_SLOWER),
        "a second later: answers that are not good": (after.other + len(after.answers.get(503, ())), 0),
        "a second later: median of hits, of that before": (
            percentile(after.hits, 50) / percentile(before.hits, 50),
            MOST_SLOWER,
        ),
        "a second later: CPU time per good answer, of that before": (after.cpu_per_good / before.cpu_per_good, 1.1),
    }
    missed = [
        *(tell(bar, "at least", value, bound, value < bound) for bar, (value, bound) in at_least.items()),
        *(tell(bar, "at most", value, bound, value > bound) for bar, (value, bound) in at_most.items()),
    ]
    return sum(missed)


def tell(bar: str, which: str, value: float, bound: float, missed: bool) -> bool:
    print(f"{bar}, {which} {bound:g}: {value:.2f}{'  MISSED' if missed else ''}")
    return missed


async def load(gateway: Gateway, executor: Executor, seconds: float, work: Work) -> Seen:
    """Let `work` ask for so many seconds, while hits are timed by another process."""
    seen, began, spent = Seen(), time.monotonic(), own_cpu()
    host, port = gateway.public.base_url.host, gateway.public.base_url.port
    assert port
    clients = Clients(host, port)
    before = cpu(gateway)
    hits = asyncio.get_running_loop().run_in_executor(executor, timed, host, port, HIT, seconds, BETWEEN_HITS)
    await work(clients, seen, began + seconds)
    seen.hits = await hits
    seen.seconds = time.monotonic() - began
    seen.cpu = cpu(gateway) - before
    seen.spent = own_cpu() - spent
    clients.close()
    return seen


async def steady(clients: Clients, seen: Seen, end: float) -> None:
    """A few clients, each of which asks again when it is answered."""

    async def client() -> None:
        while time.monotonic() < end:
            await miss(clients, seen)

    await asyncio.gather(*(client() for _ in range(AT_ONCE)))


async def arrivals(clients: Clients, seen: Seen, end: float, rate: float) -> None:
    """Requests that arrive at this rate a second, whether or not the earlier ones were answered."""
    async with asyncio.TaskGroup() as asked:
        due = time.monotonic()
        while due < end:
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            asked.create_task(miss(clients, seen))
            due += 1 / rate


async def miss(clients: Clients, seen: Seen) -> None:
    """Ask for an image that was not requested before."""
    number = next(_serial)
    path = f"/images/{number % ORIGINALS}.jpg/@crop=0:0:{1600 - number % 97}:{1200 - number // 97 % 89},w=640.jpg"
    status, took = await clients.ask(path)
    seen.answers.setdefault(status, []).append(took)


def cpu(gateway: Gateway) -> float:
    """Seconds that the gateway has been on a core, with the engine processes that have ended: see proc(5), utime to
    cstime."""
    ticks = 0
    for pid in descendants(gateway.process.pid):
        with contextlib.suppress(FileNotFoundError):  # it has just ended, and counts for its parent now
            stat = Path(f"/proc/{pid}/stat").read_text()
            ticks += sum(int(one) for one in stat.rpartition(")")[2].split()[11:15])
    return ticks / os.sysconf("SC_CLK_TCK")


def own_cpu() -> float:
    """Seconds that this process has been on a core."""
    return sum(os.times()[:2])


if __name__ == "__main__":
    raise SystemExit(main(*map(float, sys.argv[1:])))
