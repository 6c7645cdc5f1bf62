"""Requests of all kinds, good and bad, for a long time: nothing grows once the caches are full.

The service runs in this process, where its parts can be looked at, with nginx and engine processes beside it. After a
third of the requests, and at the end, it comes to rest and is measured.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import os
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

import aiohttp
import psutil

from service.cache import failures
from service.engine.pool import queue
from tests.cache.nodes import Node, node
from tests.hostile.damage import whole
from tests.soak.containers import entries
from tests.soak.findings import Findings
from tests.soak.mutations import damaged
from tests.waiting import eventually

OPTIONS = {
    "cache": {"derived": "1MiB", "originals": "512KiB", "memory": "1MiB"},
    "engine": {"recycle": 200},
    "formats": {"accept": ["jpg", "png", "webp", "avif", "gif", "tif", "bmp", "heic", "ico"]},
}
CLIENTS = 8
NAMES = 40  # of images that are there at times
MEMORY = 24 << 20  # bytes that a program may hold more than after a third of the requests
ENGINES = 2  # processes: one, and a second beside a slow check
DESCRIPTORS = 16  # more than then: connections that clients keep
FEW = 64  # entries of one container more than then, whatever the number of requests
OF_REQUESTS = 0.02  # or this part of the requests between the two
BOUNDED = {
    "service.engine.pool.queue.Queue._homes": queue.REMEMBERED,
    "service.cache.failures.Failures._failures": failures.MOST,
}
"""Containers that grow to a bound, which is some of thousands of requests away."""
RECIPES = ("w=8", "w=9,h=9,fit=cover", "full", "w=10,rot=90", "blur=2,w=12", "crop=0:0:5:5", "w=8,q=50", "gray=1")
FORMATS = ("jpg", "png", "webp", "auto", "source", "json", "gif")


@dataclass(frozen=True)
class Request:
    """One request: of a port, `public` or `api`. One that is `left` is broken off before its answer."""

    port: str
    method: str
    path: str
    body: bytes | None = None
    headers: tuple[tuple[str, str], ...] = ()
    left: bool = False


def request(seed: int, number: int) -> Request:
    """The request of this number."""
    chance = Random(f"{seed} {number}")
    (make,) = chance.choices(list(_KINDS), list(_KINDS.values()))
    return make(chance, number)


def _name(chance: Random) -> str:
    return f"mixed/{chance.randrange(NAMES)}"


def _derived(chance: Random, _: int) -> Request:
    leaf = f"@{chance.choice(RECIPES)}.{chance.choice(FORMATS)}"
    method = chance.choice(("GET", "GET", "GET", "HEAD"))
    return Request(
        *(chance.choice(("public", "public", "api")), method, f"/images/{_name(chance)}/{leaf}"),
        left=chance.random() < 0.05,
    )


def _unique(chance: Random, number: int) -> Request:
    """A derived image that was never asked for before."""
    leaf = f"@crop=0:0:{1 + number % 19}:{1 + number // 19 % 17},w={1 + number % 60},up=1.png"
    return Request("public", "GET", f"/images/{_name(chance)}/{leaf}", left=chance.random() < 0.1)


def _upload(chance: Random, _: int) -> Request:
    body = chance.choice(list(whole().values()))
    query = chance.choice(("?replace=true", "?replace=true", ""))
    return Request("api", "PUT", f"/images/{_name(chance)}{query}", body, left=chance.random() < 0.05)


def _spoilt(chance: Random, number: int) -> Request:
    """An upload that is mostly refused."""
    files = list(whole().values())
    body = damaged(chance, chance.choice(files), files)[: chance.choice((10**6, 10**6, 300))]
    return Request("api", "PUT", f"/images/spoilt/{number % 50}?replace=true", body)


def _missing(chance: Random, number: int) -> Request:
    name = f"missing/{number}"
    path = chance.choice((f"{name}/@w=9.jpg", name, f"{name}/@meta.json"))
    return Request(chance.choice(("public", "api")), "GET", f"/images/{path}")


def _malformed(chance: Random, number: int) -> Request:
    path = chance.choice((f"a/@w={number},x=1.jpg", f"../{number}", f"a//{number}", f"a/@{number}", f"%00{number}"))
    return Request(chance.choice(("public", "api")), "GET", f"/images/{path}")


def _deletion(chance: Random, _: int) -> Request:
    return Request("api", "DELETE", f"/images/{_name(chance)}{chance.choice(('', '/@', '/@w=8.png'))}")


def _question(chance: Random, _: int) -> Request:
    paths = ("/stats", "/metrics", "/images?prefix=mixed/", "/health/ready", "/formats", "/openapi.json", "/none")
    return Request("api", "GET", chance.choice(paths))


def _order(chance: Random, _: int) -> Request:
    """JSON to one of the resources that take it; some of it is not what they take."""
    names = [_name(chance), "mixed/none", "../x"][: chance.randint(1, 3)]
    path, body = chance.choice(
        (
            ("/urls", {"names": [f"{name}/@w=8.png" for name in names]}),
            ("/purge", {"names": names}),
            ("/warm", {"names": names, "recipes": ["w=8.png"]}),
            ("/warm", {"what": 1}),
        )
    )
    return Request("api", "POST", path, json.dumps(body).encode(), (("Content-Type", "application/json"),))


_KINDS: dict[Callable[[Random, int], Request], int] = {
    **{_derived: 40, _unique: 15, _upload: 8, _spoilt: 8, _missing: 8, _malformed: 8},
    **{_deletion: 4, _question: 5, _order: 4},
}
"""What makes a request, and how many of a hundred it makes."""


@dataclass(frozen=True)
class Measure:
    """A gateway at rest: bytes of each program (proportional set size), engine processes, descriptors, tasks, threads,
    files of unfinished work, and the entries of its containers."""

    memory: dict[str, int]
    engines: int
    descriptors: int
    tasks: int
    threads: int
    unfinished: list[str]
    entries: Counter[str]

    def __str__(self) -> str:
        sizes = ", ".join(f"{name} {size / 2**20:.0f} MiB" for name, size in sorted(self.memory.items()))
        return (
            f"{sizes}, {self.engines} engine processes, {self.descriptors} descriptors, {self.tasks} tasks, "
            f"{self.threads} threads, {self.entries.total()} entries"
        )


def measure(running: Node) -> Measure:
    this = psutil.Process()
    memory, engines = {"service": this.memory_full_info().pss, "nginx": 0}, 0
    for process in this.children(recursive=True):
        with contextlib.suppress(psutil.Error):
            command = " ".join(process.cmdline())
            engines += "service.engine.pool.worker" in command
            if "nginx" in command:
                memory["nginx"] += process.memory_full_info().pss
    cache = running.root / "var/cache"
    unfinished = [str(path) for folder in ("work", "engine") for path in (cache / folder).rglob("*") if path.is_file()]
    return Measure(
        memory, engines, this.num_fds(), len(asyncio.all_tasks()), threading.active_count(), unfinished, entries()
    )


def grown(before: Measure, after: Measure, requests: int) -> list[str]:
    """What is more than it may be after so many requests."""
    most = max(FEW, int(OF_REQUESTS * requests))
    found = {
        f"{name} holds {after.memory[name] >> 20} MiB, before {size >> 20}": after.memory[name] > size + MEMORY
        for name, size in before.memory.items()
    }
    found |= {
        f"{name} has {count} entries, before {before.entries[name]}": count
        > max(before.entries[name] + most, BOUNDED.get(name, 0))
        for name, count in after.entries.items()
    }
    found |= {
        f"{after.descriptors} descriptors, before {before.descriptors}": after.descriptors
        > before.descriptors + DESCRIPTORS,
        f"{after.engines} engine processes are there": after.engines > ENGINES,
        f"{after.tasks} tasks, before {before.tasks}": after.tasks > before.tasks + DESCRIPTORS,
        f"{after.threads} threads, before {before.threads}": after.threads > before.threads + DESCRIPTORS,
        f"files are left: {after.unfinished}": bool(after.unfinished),
    }
    return [text for text, wrong in found.items() if wrong]


def run(findings: Findings, count: int, first: int, root: Path) -> str:
    """Send so many requests to a gateway below `root`. Return a summary."""
    return asyncio.run(_run(findings, count, first, root))


async def _run(findings: Findings, count: int, first: int, root: Path) -> str:
    statuses = Counter[int]()
    async with node(root, OPTIONS, nginx=True) as running:
        middle = first + count // 3
        await _send_all(running, findings, range(first, middle), statuses)
        before = await _at_rest(running)
        print(f"soak     growth   after {middle - first}: {before}", flush=True)
        await _send_all(running, findings, range(middle, first + count), statuses)
        after = await _at_rest(running)
        print(f"soak     growth   after {count}: {after}", flush=True)
    for what in grown(before, after, first + count - middle):
        findings.add(first + count, what, f"{before.entries}\n{after.entries}\n".encode())
    told = ", ".join(f"{number} times {status}" for status, number in sorted(statuses.items()))
    return f"{count} requests ({told}): {findings.count} findings"


async def _send_all(running: Node, findings: Findings, numbers: range, statuses: Counter[int]) -> None:
    pending = iter(numbers)

    async def send() -> None:
        for number in pending:
            asked = request(findings.seed, number)
            status = await _send(running, asked)
            statuses[status] += 1
            if status == 500 or (status == 0 and not asked.left):
                findings.add(number, f"{status} for {asked.method} {asked.port} {asked.path}", asked.body or b"")
            findings.progress(number, f"{statuses.total()} answers")

    await asyncio.gather(*(send() for _ in range(CLIENTS)))


async def _send(running: Node, asked: Request) -> int:
    """The status of the answer; 0 for none."""
    port = running.config.public.listen if asked.port == "public" else running.config.api.listen
    timeout = aiohttp.ClientTimeout(0.002 if asked.left else 300)
    try:
        async with running.client.request(
            asked.method, f"http://{port}{asked.path}", data=asked.body, headers=dict(asked.headers), timeout=timeout
        ) as response:
            await response.read()
            return response.status
    except (aiohttp.ClientError, TimeoutError):
        return 0


async def _at_rest(running: Node) -> Measure:
    """The measure once nothing is under way."""
    work = running.root / "var/cache/work"
    await eventually(lambda: not running.context.engine.stats.running and not list(work.iterdir()))
    await asyncio.sleep(2.5)  # a 404 is remembered for two seconds
    gc.collect()
    os.sync()
    return measure(running)
