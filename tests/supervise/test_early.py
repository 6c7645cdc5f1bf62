"""A start: nginx serves what is on disk before the service is ready, where nothing of it will be thrown out."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from service.cache.generation import RECORD, Generation
from service.supervise.program import Program
from service.supervise.supervisor import Supervisor
from tests import images
from tests.gateways import command_line, descendants, running_gateway, write_config
from tests.waiting import PATIENCE

HOME = Path(__file__).resolve().parents[2]
FREEZE = """
import os, signal, sys

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "service.app":
            os.kill(os.getpid(), signal.SIGSTOP)

sys.meta_path.insert(0, Finder())
"""
HIT = "/images/cat.jpg/@w=30.jpg"


def until(condition: Callable[[], Any]) -> Any:
    end = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)
    return found


@pytest.fixture
def stopped(tmp_path: Path) -> Path:
    """The folder of a gateway that ran, and has a derived image in its cache."""
    with running_gateway(tmp_path) as gateway:
        assert gateway.upload("cat.jpg", images.jpeg()).status_code == 201
        assert gateway.public.get(HIT).status_code == 200
    return tmp_path


@contextlib.contextmanager
def starting(root: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A gateway whose service is frozen once it has prepared the start, and the service."""
    (root / "sitecustomize.py").write_text(FREEZE)
    process = subprocess.Popen(
        [sys.executable, "-m", "service", "up", "-c", str(root / "config.yaml")],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": f"{root}:{HOME}"},
    )
    try:
        (service,) = until(lambda: [pid for pid in descendants(process.pid) if "service serve" in command_line(pid)])
        until(lambda: Path(f"/proc/{service}/stat").read_text().rpartition(")")[2].split()[0] == "T")
        yield process, service
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(service, signal.SIGCONT)
        process.terminate()
        process.wait(60)
        assert process.stdout is not None
        process.stdout.close()


def test_hits_are_served_while_the_service_starts_and_misses_wait_for_it(stopped: Path) -> None:
    public = "http://" + yaml.safe_load((stopped / "config.yaml").read_text())["public"]["listen"]
    with starting(stopped) as (process, service), httpx.Client(base_url=public, timeout=60, trust_env=False) as client:

        def hit() -> httpx.Response | None:
            with contextlib.suppress(httpx.TransportError):
                return client.get(HIT)
            return None

        answer = until(hit)
        assert (answer.status_code, answer.headers["X-Cache"]) == (200, "HIT-DISK")
        assert not (stopped / "var/run/service.pid").exists()
        os.kill(service, signal.SIGCONT)
        assert client.get("/images/cat.jpg/@w=31.jpg").headers["X-Cache"] == "MISS"
        assert process.stdout is not None
        assert b"gateway is up" in process.stdout.readline()


@pytest.mark.parametrize(
    ("record", "trusted"),
    [
        ({"boot": "this"}, True),
        ({"boot": "another", "clean": True}, True),
        ({"boot": "another", "clean": False}, False),
        ({"boot": "this", "made_by": "other software"}, False),
        ({}, False),
    ],
)
def test_only_what_is_kept_as_it_is_may_be_served_at_once(
    tmp_path: Path, record: dict[str, Any], trusted: bool
) -> None:
    Generation(tmp_path, "this software", boot="this").begin()
    written = json.loads((tmp_path / RECORD).read_text())
    (tmp_path / RECORD).write_text(json.dumps({**written, **record} if record else {}))
    assert Generation(tmp_path, "this software", boot="this").is_trusted == trusted


@pytest.mark.parametrize("hurried", [False, True])
async def test_programs_start_one_after_the_other_unless_there_is_no_need_to_wait(
    hurried: bool, tmp_path: Path
) -> None:
    begun: list[str] = []
    announced = asyncio.Event()
    first_is_ready = False

    def program(name: str, ready: Callable[[], bool]) -> Program:
        def asked(_pid: int) -> bool:
            if name not in begun:
                begun.append(name)
            return ready()

        return Program(name, ["sleep", "60"], asked, signal.SIGTERM, 10.0)

    supervisor = Supervisor([program("first", lambda: first_is_ready), program("second", lambda: True)])
    if hurried:
        supervisor.hurry()

    async def reload() -> None:
        pass

    running = asyncio.create_task(supervisor.run(announced.set, reload))
    async with asyncio.timeout(PATIENCE):
        while begun != ["first", "second"][: 1 + hurried]:
            await asyncio.sleep(0.01)
        assert not announced.is_set()
        first_is_ready = True
        await announced.wait()
    assert begun == ["first", "second"]
    os.kill(os.getpid(), signal.SIGTERM)
    await running


def test_what_other_options_made_is_not_served_at_once(stopped: Path) -> None:
    """The file is moved away before nginx is asked for anything, so it is made anew."""
    ports = yaml.safe_load((stopped / "config.yaml").read_text())
    numbers = [int(ports[port]["listen"].rpartition(":")[2]) for port in ("public", "api")]
    write_config(stopped, {"formats": {"quality": {"jpg": 20}}}, numbers)
    public = "http://" + ports["public"]["listen"]
    process = subprocess.Popen(
        [sys.executable, "-m", "service", "up", "-c", str(stopped / "config.yaml")], stdout=subprocess.PIPE
    )
    try:

        def first() -> httpx.Response | None:
            with contextlib.suppress(httpx.TransportError):
                return httpx.get(f"{public}{HIT}", timeout=60, trust_env=False)
            return None

        assert until(first).headers["X-Cache"] == "MISS"
    finally:
        process.terminate()
        process.wait(60)
        assert process.stdout is not None
        process.stdout.close()
