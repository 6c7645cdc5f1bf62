"""kill -9 of every kind of process of a gateway, at any moment, under load: never a wrong or partial byte.

The version of a picture is in its pixels, so that every answer tells which version it shows.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import random
import signal
import subprocess
import sys
import time
import traceback
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from gateway.settings import Config
from service.runtime.configuration import read_config
from tests import images
from tests.cache.nodes import Answer
from tests.gateways import alive, command_line, descendants, free_ports, write_config
from tests.soak.findings import Findings

START = 120.0  # seconds that a start may take on a busy machine
IMAGES = 6
RECIPES = ("@w=4.png", "@full.bmp", "@w=5,lossless=1.webp", "@w=6,rot=180.png", "@full.png")
WEIGHTS = {"engine": 10, "nginx worker": 8, "nginx master": 2, "service": 2, "supervisor": 1, "all": 1}
"""How often each kind of process is killed, of 24 times."""

WORDS = {
    **{"engine": "service.engine.pool.worker", "nginx worker": "nginx: worker"},
    **{"nginx master": "nginx: master", "service": "service serve"},
}
"""What the command line of a kind of process holds."""


def picture(generation: int, size: int = 40) -> bytes:
    return images.png(images.flat(size, size, (generation % 256, generation // 256, 77)))


@dataclass
class Machine:
    """A gateway whose processes are killed; what its supervisor does not start again, this does."""

    config: Config
    file: Path
    supervisor: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> str:
        return (self.file.parent / "log").read_text(errors="replace")

    async def start(self) -> None:
        with (self.file.parent / "log").open("ab") as log:
            command = [sys.executable, "-m", "service", "up", "-c", str(self.file)]
            self.supervisor = subprocess.Popen(command, stderr=log, stdout=log, start_new_session=True)
        await self.answering()

    async def answering(self) -> None:
        """Wait until the service is ready, as nginx tells."""
        end = time.monotonic() + START
        while not await self._answers():
            assert time.monotonic() < end, self.log[-3000:]
            assert self.supervisor is not None and self.supervisor.poll() is None, self.log[-3000:]
            await asyncio.sleep(0.02)

    async def kill(self, kind: str, chance: random.Random) -> None:
        """End one process of a kind, or all there are, without a warning. Wait until the service is ready again where
        it was a process that there is one of."""
        assert self.supervisor is not None
        below = descendants(self.supervisor.pid)
        if kind in ("supervisor", "all"):
            for pid in [self.supervisor.pid, *(below if kind == "all" else ())]:
                _kill(pid)
            self.supervisor.wait()
            await _gone(below)
            await self.start()
            return
        victims = [pid for pid in below if WORDS[kind] in command_line(pid)]
        if not victims:
            return
        victim = chance.choice(victims)
        _kill(victim)
        if kind in ("service", "nginx master"):
            await _gone([victim])
            await self.answering()

    def stop(self) -> None:
        """End the gateway; afterwards none of its processes is left."""
        if self.supervisor is None:
            return
        below = descendants(self.supervisor.pid)
        self.supervisor.terminate()
        self.supervisor.wait(60)
        assert not [pid for pid in below if alive(pid)], "the gateway left processes behind"

    async def _answers(self) -> bool:
        try:
            async with aiohttp.request("GET", f"http://{self.config.public.listen}/health") as response:
                return response.status == 200
        except aiohttp.ClientError:
            return False


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


async def _gone(pids: Sequence[int]) -> None:
    end = time.monotonic() + START
    while any(alive(pid) for pid in pids):
        assert time.monotonic() < end, "a process did not end"
        await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def running_machine(root: Path) -> AsyncIterator[Machine]:
    """A gateway with small caches below `root`, so that files are evicted all the time."""
    root.mkdir(parents=True, exist_ok=True)
    file = write_config(root, {"cache": {"derived": "200KiB", "originals": "64KiB"}}, free_ports(2))
    machine = Machine(read_config(file)[0], file)
    try:
        await machine.start()
        yield machine
    finally:
        machine.stop()


@dataclass
class Load:
    """Readers and writers, and what they have seen: `settled` are the generations whose upload was answered for,
    `tried` those that were begun."""

    machine: Machine
    client: aiohttp.ClientSession
    settled: Counter[int] = field(default_factory=Counter)
    tried: Counter[int] = field(default_factory=Counter)
    seen: Counter[int] = field(default_factory=Counter)
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def begin(self) -> None:
        work = [self.write(image) for image in range(IMAGES)] + [self.read(number) for number in range(6)]
        self.tasks = [asyncio.create_task(one) for one in work]

    def check(self) -> None:
        """Raise what a reader or a writer has raised."""
        for task in self.tasks:
            if task.done():
                task.result()

    async def end(self) -> None:
        """End the load; raises nothing."""
        tasks, self.tasks = self.tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def ask(self, method: str, port: str, path: str, data: bytes | None = None) -> Answer | None:
        """An answer that came whole; None where the connection broke, as it does when a program is killed."""
        try:
            async with self.client.request(method, f"http://{port}/images/{path}", data=data) as response:
                return Answer(response.status, response.headers.copy(), await response.read())
        except (aiohttp.ClientError, TimeoutError):
            return None

    async def write(self, image: int) -> None:
        for generation in itertools.count(1):
            self.tried[image] = generation
            answer = await self.ask(
                "PUT", self.machine.config.api.listen, f"{image}.png?replace=true", picture(generation)
            )
            if answer and answer.status == 201:
                self.settled[image] = generation
            await asyncio.sleep(random.random() * 0.2)

    async def read(self, number: int) -> None:
        ports = (self.machine.config.public.listen, self.machine.config.api.listen)
        for turn in itertools.count(number):
            image = turn % IMAGES
            least = self.settled[image]
            answer = await self.ask("GET", ports[turn % 3 == 0], f"{image}.png/{random.choice(RECIPES)}")
            if answer is None or answer.status >= 500:
                await asyncio.sleep(0.01)
                continue
            self.seen[answer.status] += 1
            assert answer.status in (200, 404), answer
            if answer.status == 404:
                assert least == 0, f"image {image} is gone, and generation {least} was stored"
                continue
            red, green, blue = answer.colour
            shown = red + 256 * green
            assert blue == 77, answer
            assert least <= shown <= self.tried[image], f"{least} <= {shown} <= {self.tried[image]}: {answer.headers}"


@contextlib.asynccontextmanager
async def loaded(machine: Machine) -> AsyncIterator[Load]:
    """Load on a machine, which ends with the block at the latest."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(20)) as client:
        load = Load(machine, client)
        load.begin()
        try:
            yield load
        finally:
            await load.end()


def victim(seed: int, number: int) -> tuple[str, random.Random]:
    """The kind of the process that is killed by this number, and the chance that chooses among several."""
    chance = random.Random(f"{seed} {number}")
    kinds, weights = zip(*WEIGHTS.items(), strict=True)
    return chance.choices(kinds, weights)[0], chance


def run(findings: Findings, kills: int, first: int, root: Path) -> str:
    """Kill so many processes of a gateway below `root`. Return a summary."""
    return asyncio.run(_run(findings, kills, first, root))


async def _run(findings: Findings, kills: int, first: int, root: Path) -> str:
    killed, seen = Counter[str](), Counter[int]()
    number = first
    while number < first + kills:  # what is found ends a gateway, and the next one goes on
        async with running_machine(root / str(number)) as machine, loaded(machine) as load:
            try:
                while number < first + kills:
                    kind, chance = victim(findings.seed, number)
                    number += 1
                    await asyncio.sleep(chance.random() * 0.2)
                    await machine.kill(kind, chance)
                    killed[kind] += 1
                    load.check()
                    findings.progress(number, f"{load.seen.total()} answers")
                await asyncio.sleep(0.3)
                load.check()
            except AssertionError:
                findings.add(number, traceback.format_exc().rstrip(), machine.log[-100_000:].encode())
            seen += load.seen
    kinds = ", ".join(f"{count} of {kind}" for kind, count in killed.most_common())
    return f"{killed.total()} kills ({kinds}), {seen[200]} pictures right: {findings.count} findings"
