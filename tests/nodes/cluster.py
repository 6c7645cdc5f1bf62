"""Three nodes on one real Swift behind the example balancer, each on a machine of its own."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.conftest import swift_options
from tests.gateways import Gateway, running_gateway
from tests.nodes.network import Network
from tests.nodes.pictures import Picture
from tests.supervise.test_supervisor import good
from tests.swift.server import environment, running_swift
from tests.waiting import until

EXAMPLE = Path(__file__).resolve().parents[2] / "deploy/balancer"
HUB = "192.0.2.1"  # of a range that is kept for documentation (RFC 5737), as are the nodes' in the example
NODES = [f"192.0.2.{number}:8080" for number in (11, 12, 13)]  # as the example names them
BALANCER = f"http://{HUB}"
REVALIDATE = 2.0  # seconds
STORE = {"timeout": "1s", "retries": 1}  # a node that cannot reach Swift soon knows


@dataclass
class Cluster:
    """Nodes by their number, from 0; one that was killed is not among them."""

    root: Path
    network: Network
    options: dict[str, Any]
    client: httpx.Client
    stack: ExitStack  # of what ends with it
    environs: Mapping[int, Mapping[str, str]] = field(default_factory=dict)  # of nodes, by their number
    nodes: dict[int, Gateway] = field(default_factory=dict)

    def start(self, number: int) -> None:
        """A node, with what its disk has."""
        public = {"listen": NODES[number], "url": BALANCER}
        with self.network.machines[number].entered():
            options = {**self.options, "public": public}
            running = running_gateway(self.root / f"node{number}", options, self.environs.get(number))
            self.nodes[number] = self.stack.enter_context(running)

    def kill(self, number: int) -> None:
        """Every process of a node, at once."""
        self.network.machines[number].kill_all()
        del self.nodes[number]

    def upload(self, number: int, picture: Picture) -> None:
        """Store a picture by way of a node, in place of the one that was there."""
        with self.network.machines[number].entered():
            answer = self.nodes[number].upload(picture.name, picture.file, replace="true")
        assert answer.status_code in (200, 201), answer.text

    def ask(self, number: int, path: str) -> httpx.Response:
        """The answer of a node without the balancer."""
        with self.network.hub.entered():
            return self.client.get(f"http://{NODES[number]}{path}")

    def in_flight(self, number: int) -> set[str]:
        """The balancer's connections to a node, each with one request on it."""
        command = ["ss", "-Htn", "state", "established", "dst", NODES[number]]
        with self.network.hub.entered():
            listed = subprocess.run(command, check=True, capture_output=True, text=True)
        return {line.split()[2] for line in listed.stdout.splitlines()}


@contextmanager
def running_cluster(
    root: Path,
    *,
    cache: Mapping[str, Any] | None = None,
    store: Mapping[str, Any] = STORE,
    before_swift: Callable[[str], AbstractContextManager[str]] | None = None,
    environs: Mapping[int, Mapping[str, str]] | None = None,
) -> Iterator[Cluster]:
    """A cluster whose nodes have these options of `cache` and of Swift, and these environment variables, by number.
    `before_swift` runs a proxy on the hub before the Swift of a URL, and gives its own URL."""
    environment()  # made here if it is missing: the namespaces reach no package registry
    addresses = [node.partition(":")[0] for node in NODES]
    with ExitStack() as stack:
        network = stack.enter_context(closing(Network(HUB, addresses)))
        with network.hub.entered():
            swift = stack.enter_context(running_swift(root / "swift", address=HUB))
            options = swift_options(swift)
            if before_swift:
                url = stack.enter_context(before_swift(swift.url))
                options["store"]["swift"]["auth_url"] = f"{url}/auth/v1.0"
        options["store"]["swift"] |= store
        options["cache"] = {"revalidate": f"{REVALIDATE}s", **(cache or {})}
        once = httpx.Limits(max_keepalive_connections=0)  # a connection may not outlive its node
        client = stack.enter_context(httpx.Client(timeout=60, trust_env=False, limits=once))
        cluster = Cluster(root, network, options, client, stack, environs or {})
        with ThreadPoolExecutor(len(NODES)) as pool:
            list(pool.map(cluster.start, range(len(NODES))))
        stack.enter_context(_balancer(root / "balancer", network, client))
        yield cluster


@contextmanager
def _balancer(root: Path, network: Network, client: httpx.Client) -> Iterator[None]:
    """The example as it is, except that its answers tell in X-Tried which nodes were asked."""
    root.mkdir()
    text = (EXAMPLE / "nginx.conf").read_text()
    assert all(f"server {node} " in text for node in NODES)
    (root / "nginx.conf").write_text(text.replace("access_log off;", "add_header X-Tried $upstream_addr always;"))
    program = shutil.which("nginx") or shutil.which("openresty")
    assert program
    command = [program, "-p", str(root), "-c", str(root / "nginx.conf"), "-e", "stderr", "-g", "daemon off;"]
    with network.hub.entered(), (root / "log").open("wb") as log:
        _set_kernel((EXAMPLE / "sysctl.conf").read_text())
        process = subprocess.Popen(command, stderr=log)
    try:
        with network.hub.entered():
            until(good(lambda: client.get(f"{BALANCER}/health")))
        yield
    finally:
        process.terminate()
        process.wait(60)


def _set_kernel(text: str) -> None:
    """What `sysctl` does with a file; these settings are for each namespace its own."""
    for key, value in re.findall(r"^(\S+) = (\S+)$", text, re.MULTILINE):
        Path("/proc/sys", *key.split(".")).write_text(value)
