"""kill -9 of the service, an engine, nginx or all at once, under load: never a wrong or partial byte, no leftovers.

A quick run is part of the tests; `KILLS=500` in the environment makes it a long one.
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
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest
from PIL import Image

from gateway.config import rules_of
from gateway.settings import Config
from service.api.schema.models import Stats
from service.cache.usage import HIGH
from service.cache.work import spare_folder
from service.runtime.configuration import read_config
from service.runtime.paths import make_folders, paths_of
from service.supervise import nginx_conf, nginx_program
from tests import images
from tests.cache.nodes import Answer
from tests.gateways import command_line, descendants, free_ports, write_config
from tests.waiting import eventually

pytestmark = [pytest.mark.slow, pytest.mark.nginx]

KILLS = int(os.environ.get("KILLS", "24"))
IMAGES = 6
RECIPES = ("@w=4.png", "@full.bmp", "@w=5,lossless=1.webp", "@w=6,rot=180.png", "@full.png")
WEIGHTS = {"service": 2, "engine": 12, "nginx": 9, "all": 1}


def picture(generation: int, size: int = 40) -> bytes:
    return images.png(images.flat(size, size, (generation % 256, generation // 256, 77)))


@dataclass
class Machine:
    """The programs of a node, started and killed by hand, without anybody who cares for them."""

    config: Config
    file: Path
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    async def start(self, *names: str) -> None:
        paths = paths_of(self.config)
        commands = {
            "service": [sys.executable, "-m", "service", "serve", "-c", str(self.file)],
            "nginx": nginx_program.command(paths.nginx),
        }
        for name in names:
            with (self.file.parent / f"{name}.log").open("ab") as log:
                self.processes[name] = subprocess.Popen(commands[name], stderr=log, stdout=log, start_new_session=True)
        end = time.monotonic() + 30
        while not await self._answers():
            assert time.monotonic() < end, (self.file.parent / "service.log").read_text()[-3000:]
            assert self.processes["service"].poll() is None, (self.file.parent / "service.log").read_text()[-3000:]
            await asyncio.sleep(0.02)

    async def kill(self, what: str) -> None:
        """End something without a warning, and start again what does not come back by itself."""
        if what == "engine":
            engines = [
                pid for pid in descendants(self.processes["service"].pid) if "engine.pool.worker" in command_line(pid)
            ]
            with contextlib.suppress(IndexError, ProcessLookupError):
                os.kill(random.choice(engines), signal.SIGKILL)
            return
        names = list(self.processes) if what == "all" else [what]
        for name in names:
            os.killpg(self.processes[name].pid, signal.SIGKILL)
        for name in names:
            self.processes[name].wait()
        await self.start(*names)

    def stop(self) -> None:
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            process.wait(40)

    async def _answers(self) -> bool:
        """Whether the service is ready, as nginx tells."""
        try:
            async with aiohttp.request("GET", f"http://{self.config.public.listen}/health") as response:
                return response.status == 200
        except aiohttp.ClientError:
            return False


@pytest.fixture
async def machine(tmp_path: Path) -> AsyncIterator[Machine]:
    file = write_config(tmp_path, {"cache": {"derived": "200KiB", "originals": "64KiB"}}, free_ports(2))
    config, _ = read_config(file)
    paths = paths_of(config)
    make_folders(paths)
    nginx_conf.write(nginx_conf.render(config, paths, rules_of(config)), paths.nginx)
    running = Machine(config, file)
    try:
        await running.start("service", "nginx")
        yield running
    finally:
        running.stop()


@dataclass
class Load:
    """Readers and writers, and what they have seen: `settled` are the generations whose upload was answered for,
    `tried` those that were begun."""

    machine: Machine
    client: aiohttp.ClientSession
    settled: Counter[int] = field(default_factory=Counter)
    tried: Counter[int] = field(default_factory=Counter)
    seen: Counter[int] = field(default_factory=Counter)

    async def ask(self, method: str, port: str, path: str, data: bytes | None = None) -> Answer | None:
        """An answer that came whole; None where the connection broke, as it does when a program is killed."""
        try:
            async with self.client.request(method, f"http://{port}/images/{path}", data=data) as response:
                return Answer(response.status, response.headers.copy(), await response.read())
        except aiohttp.ClientError:
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
            if answer is None or answer.status >= 500 or (answer.status == 422 and b"engine process" in answer.body):
                await asyncio.sleep(0.01)
                continue
            self.seen[answer.status] += 1
            assert answer.status in (200, 404), answer
            if answer.status == 404:
                assert least == 0
                continue
            red, green, blue = answer.colour
            assert blue == 77
            assert least <= red + 256 * green <= self.tried[image]


async def test_nothing_that_is_killed_at_any_moment_makes_a_wrong_or_partial_byte(machine: Machine) -> None:
    victims, weights = zip(*WEIGHTS.items(), strict=True)
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(20)) as client:
        load = Load(machine, client)
        work = [load.write(image) for image in range(IMAGES)] + [load.read(number) for number in range(6)]
        tasks = [asyncio.create_task(one) for one in work]
        try:
            for _ in range(KILLS):
                await asyncio.sleep(random.random() * 0.2)
                await machine.kill(random.choices(victims, weights)[0])
                for task in tasks:
                    assert not task.done(), task.exception()
            await asyncio.sleep(0.3)
        finally:
            for task in tasks:
                task.cancel()
            outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        assert {type(outcome) for outcome in outcomes} == {asyncio.CancelledError}
        assert load.seen[200] > KILLS  # a busy machine answers few
        assert load.settled.total() > 0

        await machine.kill("all")
        await nothing_is_left_over(machine)
        await the_cache_is_still_used(machine, load)


async def nothing_is_left_over(machine: Machine) -> None:
    """The sweep at the start may be forgetting an image meanwhile; then the files go first, and the marker last."""
    paths = paths_of(machine.config)
    spare = spare_folder(paths.work.parent)
    for folder in filter(None, (paths.work, spare)):
        assert [path for path in folder.iterdir() if not path.is_dir()] == []
    await eventually(lambda: not list(paths.work.iterdir()))  # the reaper deletes the folders of forgotten images
    for file in [path for path in paths.derived.rglob("@*.*") if path.suffix != ".json"]:
        with contextlib.suppress(FileNotFoundError), Image.open(file) as image:
            image.load()
        assert (file.parent / "@base").exists() or not file.exists()


async def the_cache_is_still_used(machine: Machine, load: Load) -> None:
    image, _ = load.settled.most_common(1)[0]
    path = f"{image}.png/{RECIPES[0]}"
    for _ in range(3):
        await the_caches_are_at_rest(machine, load)
        second = await load.ask("GET", machine.config.public.listen, path)
        await asyncio.sleep(0.05)  # by the file system's clock it is read later than it was made, so it is in use
    assert second is not None
    assert second.headers["X-Cache"] == "HIT-DISK"
    await machine.kill("all")
    again = await load.ask("GET", machine.config.public.listen, path)
    assert again is not None
    assert (again.headers["X-Cache"], again.body) == ("HIT-DISK", second.body)


async def the_caches_are_at_rest(machine: Machine, load: Load) -> None:
    """Wait until what lies there is counted, below the high watermark and compared with the store: before that, an
    image may be evicted or forgotten a moment after it was made."""
    end = time.monotonic() + 30
    while True:
        async with load.client.get(f"http://{machine.config.api.listen}/stats") as response:
            stats = Stats.model_validate(await response.json())
        tree = stats.derived
        if tree.counted and stats.swept is not None and tree.bytes <= HIGH * tree.most_bytes:
            return
        assert time.monotonic() < end, stats
        await asyncio.sleep(0.05)
