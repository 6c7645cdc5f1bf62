"""Requests of all kinds, good and bad, for a long time: nothing grows once the caches are full.

The service runs in this process, where its parts can be looked at, with nginx and engine processes beside it. After a
third of the requests, and at the end, it comes to rest and is measured.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import threading
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import psutil

from service.api.http import metrics
from service.cache import failures
from service.engine.pool import queue
from service.originals import originals
from tests.cache.nodes import Node, node
from tests.soak.containers import entries
from tests.soak.findings import Findings
from tests.soak.mixed import Request, request
from tests.waiting import eventually

OPTIONS = {
    "cache": {"derived": "1MiB", "originals": "512KiB", "memory": "1MiB"},
    "engine": {"recycle": 200},
    "log": {"slow": "1h"},  # records hold what they tell of, and pytest holds records
    "formats": {"accept": ["jpg", "png", "webp", "avif", "gif", "tif", "bmp", "heic", "ico"]},
}
CLIENTS = 8
MEMORY = 24 << 20  # bytes that a program may hold more than after a third of the requests
ENGINES = 2  # processes: one, and a second beside a slow check
DESCRIPTORS = 16  # more than then: connections that clients keep
FEW = 64  # entries of one container more than then, whatever the number of requests
OF_REQUESTS = 0.02  # or this part of the requests between the two
BOUNDED = {
    "service.engine.pool.queue.Queue._homes": queue.REMEMBERED,
    "service.cache.failures.Failures._failures": failures.MOST,
    "service.originals.originals.Originals._missing": originals.MOST_MISSING,
    "service.api.http.metrics._counted": metrics.MOST_COUNTED,
}
"""Containers that grow to a bound, which is some of thousands of requests away."""


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
