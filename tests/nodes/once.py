"""Three gateways on one Swift behind the example balancer, on loopback, whose computations are counted."""

from __future__ import annotations

import itertools
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from tests import images
from tests.conftest import swift_options
from tests.gateways import Gateway, descendants, free_ports, running_gateway
from tests.swift.server import SwiftServer
from tests.swift.stores import client as swift_client
from tests.waiting import until

EXAMPLE = Path(__file__).resolve().parents[2] / "deploy/balancer/nginx.conf"
AT_ONCE = 8  # clients
_JOBS = re.compile(r'^image_gateway_engine_jobs_total\{outcome="done"\} (\S+)$', re.MULTILINE)
_BEHIND = re.compile(r"^image_gateway_write_behind (\S+)$", re.MULTILINE)


@dataclass
class Fleet:
    """The nodes by their number; `names` are the images in Swift. A node that was killed is not among them."""

    root: Path
    options: dict[str, Any]
    names: list[str]
    ports: list[int]
    balancer: int  # its port
    stack: ExitStack
    nodes: dict[int, Gateway] = field(default_factory=dict)
    _before: int = 0  # computations of nodes that were killed

    def start(self, number: int) -> None:
        """Start a node, with what its disk has."""
        options = {**self.options, "public": {"listen": f"127.0.0.1:{self.ports[number]}"}}
        self.nodes[number] = self.stack.enter_context(running_gateway(self.root / f"node{number}", options))

    def kill(self, number: int) -> None:
        """End every process of a node at once, when what it has made is in Swift."""
        node = self.nodes.pop(number)
        self._await_stored(node)
        self._before += self._told(node, _JOBS)
        for pid in (node.process.pid, *descendants(node.process.pid)):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        node.process.wait(60)

    def ask_all(self, recipe: str) -> tuple[float, int]:
        """Ask the balancer for each image in this form, and again when Swift has them all; computations for each image,
        and how many answers were no image."""
        began, failed = self.computations, 0
        for _ in range(2):
            with ThreadPoolExecutor(AT_ONCE) as pool:
                failed += list(pool.map(self._ask, self.names, itertools.repeat(recipe))).count(False)
            for node in self.nodes.values():
                self._await_stored(node)
        return (self.computations - began) / len(self.names), failed

    @property
    def computations(self) -> int:
        """Jobs that engines have done, since the fleet was started; a node that starts again counts from 0."""
        return self._before + sum(self.shares)

    @property
    def shares(self) -> list[int]:
        """Jobs of each node that lives."""
        return [self._told(node, _JOBS) for node in self.nodes.values()]

    def _await_stored(self, node: Gateway) -> None:
        until(lambda: self._told(node, _BEHIND) == 0)

    def _ask(self, name: str, recipe: str) -> bool:
        with closing(HTTPConnection("127.0.0.1", self.balancer, timeout=120)) as connection:
            connection.request("GET", f"/images/{name}/{recipe}")
            return connection.getresponse().status == 200

    @staticmethod
    def _told(node: Gateway, wanted: re.Pattern[str]) -> int:
        found = wanted.search(node.api.get("/metrics").text)
        return int(float(found[1])) if found else 0


@contextmanager
def running_fleet(root: Path, swift: SwiftServer, count: int) -> Iterator[Fleet]:
    """The fleet, with so many images that were put into Swift behind its back."""
    options = {**swift_options(swift), "cache": {"persist": "always"}, "engine": {"processes": 1}}
    names = [f"photos/{number:05d}.png" for number in range(count)]
    _fill(swift, options["store"]["swift"]["container"], names)
    *ports, own = free_ports(4)
    with ExitStack() as stack:
        stack.enter_context(_balancer(root / "balancer", ports, own))
        fleet = Fleet(root, options, names, ports, own, stack)
        with ThreadPoolExecutor(len(ports)) as pool:
            list(pool.map(fleet.start, range(len(ports))))
        yield fleet


def _fill(swift: SwiftServer, container: str, names: list[str]) -> None:
    connections = [swift_client(swift.url) for _ in range(AT_ONCE)]

    def store(part: int) -> None:
        for number in range(part, len(names), AT_ONCE):
            body = images.png(images.flat(8, 8, (number % 251, number // 251, 7)))
            connections[part].put_object(container, names[number], body, content_type="image/png")

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(store, range(AT_ONCE)))
    for connection in connections:
        connection.close()


@contextmanager
def _balancer(root: Path, ports: list[int], own: int) -> Iterator[None]:
    """The example, before nodes on these ports."""
    root.mkdir()
    port = iter(ports)
    text = re.sub(r"192\.0\.2\.\d+:8080", lambda _: f"127.0.0.1:{next(port)}", EXAMPLE.read_text())
    (root / "nginx.conf").write_text(text.replace("listen 80 ", f"listen 127.0.0.1:{own} "))
    program = shutil.which("nginx") or shutil.which("openresty")
    assert program
    command = [program, "-p", str(root), "-c", str(root / "nginx.conf"), "-e", "stderr", "-g", "daemon off;"]
    with (root / "log").open("wb") as log:
        process = subprocess.Popen(command, stderr=log)
    try:
        yield
    finally:
        process.terminate()
        process.wait(60)
