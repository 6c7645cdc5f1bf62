"""Upgrade in place: while one service follows another under load, no request fails, and a bad configuration changes
nothing."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import yaml

from tests import images
from tests.gateways import Gateway, command_line, descendants, free_ports, running_gateway, write_config
from tests.waiting import PATIENCE, until

pytestmark = pytest.mark.slow

RESTARTS = int(os.environ.get("RESTARTS", "3"))  # fifty are as good, and take minutes
HIT = "/images/cat.jpg/@w=90.jpg"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with running_gateway(tmp_path_factory.mktemp("restarting"), {"public": {"max_age": "60s"}}) as running:
        assert running.upload("cat.jpg", images.jpeg()).status_code == 201
        assert running.public.get(HIT).status_code == 200
        yield running


class Load:
    """Clients that ask one request after the other, and what they were answered.

    They leave the processors time for the start that they wait for, which ends the sooner.
    """

    def __init__(self, gateway: Gateway) -> None:
        self.answers: Counter[str] = Counter()
        self._gateway = gateway
        self._end = threading.Event()

    def misses(self) -> None:
        with self._client() as client:
            width = 0
            while not self._end.is_set():
                width = width % 90 + 1
                height = 100 + time.monotonic_ns() % 100
                self._ask("miss", client, f"/images/cat.jpg/@crop=0:0:{100 + width}:{height},w={width}.jpg")
                time.sleep(0.01)

    def hits(self) -> None:
        with self._client() as client:
            while not self._end.is_set():
                self._ask("hit", client, HIT)
                time.sleep(0.005)

    def listings(self) -> None:
        with self._client() as client:
            while not self._end.is_set():
                self._ask("listing", client, f"{self._gateway.api.base_url}/images")
                time.sleep(0.01)

    def _client(self) -> httpx.Client:
        """A connection for each request: who keeps one alive has to expect that it is closed just then."""
        once = httpx.Limits(max_keepalive_connections=0)
        return httpx.Client(base_url=self._gateway.public.base_url, timeout=60, trust_env=False, limits=once)

    def _ask(self, kind: str, client: httpx.Client, path: str) -> None:
        try:
            answer = str(client.get(path).status_code)
        except httpx.TransportError as error:
            answer = repr(error)
        self.answers[f"{kind}: {answer}"] += 1

    @contextmanager
    def running(self) -> Iterator[None]:
        threads = [threading.Thread(target=self.misses) for _ in range(4)]
        threads += [threading.Thread(target=self.hits), threading.Thread(target=self.listings)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._end.set()
            for thread in threads:
                thread.join()


def service(gateway: Gateway) -> str:
    """The process id of the service that serves now, or did last."""
    return (gateway.root / "var/run/service.pid").read_text().strip()


def reload(gateway: Gateway) -> str:
    """Have the gateway reload; what it logs over it."""
    before = len(gateway.log)
    os.kill(gateway.process.pid, signal.SIGHUP)
    until(lambda: "reloaded" in gateway.log[before:])
    return gateway.log[before:]


def test_no_request_fails_while_the_service_is_replaced_again_and_again(gateway: Gateway) -> None:
    load = Load(gateway)
    with load.running():
        for _ in range(RESTARTS):
            before = service(gateway)
            reload(gateway)
            assert service(gateway) != before
            time.sleep(0.2)
    assert set(load.answers) == {"hit: 200", "miss: 200", "listing: 200"}, load.answers


def test_a_service_that_is_told_to_end_is_followed_by_another_and_no_request_fails(gateway: Gateway) -> None:
    load = Load(gateway)
    with load.running():
        before = service(gateway)
        os.kill(int(before), signal.SIGTERM)
        until(lambda: service(gateway) not in ("", before))
        time.sleep(0.2)
    assert set(load.answers) == {"hit: 200", "miss: 200", "listing: 200"}, load.answers


def change(gateway: Gateway, **sections: object) -> None:
    """Rewrite sections of the gateway's config.yaml."""
    file = gateway.root / "config.yaml"
    file.write_text(yaml.safe_dump({**yaml.safe_load(file.read_text()), **sections}))


def ask(gateway: Gateway, path: str) -> httpx.Response:
    """An answer over a connection of its own: a reload ends those that are kept alive, as it does with any nginx."""
    return httpx.get(f"{gateway.public.base_url}{path}", timeout=60, trust_env=False)


def test_a_reload_puts_presets_limits_and_tokens_in_force(gateway: Gateway) -> None:
    before = (gateway.root / "config.yaml").read_text()
    assert ask(gateway, "/images/cat.jpg/@tiny.png").status_code == 400
    change(gateway, presets={"tiny": "w=8"}, limits={"width": 1000})
    reload(gateway)
    until(lambda: ask(gateway, "/images/cat.jpg/@tiny.png").status_code == 200)
    assert httpx.get(f"{gateway.api.base_url}/presets", trust_env=False, timeout=PATIENCE).json()["tiny"] == "w=8"
    assert ask(gateway, "/images/cat.jpg/@w=1001.jpg").status_code == 400
    (gateway.root / "config.yaml").write_text(before)
    reload(gateway)


def texts(gateway: Gateway) -> dict[str, str]:
    """What nginx, the service and ImageMagick go by."""
    files = ("accepted.yaml", "nginx/nginx.conf", "nginx/rules.json", "imagemagick/policy.xml")
    return {file: (gateway.root / "var/run" / file).read_text() for file in files}


@pytest.mark.parametrize(
    ("sections", "says"),
    [
        ({"limits": {"width": "wide"}}, "limits.width"),
        ({"api": {"listen": "127.0.0.1:1"}}, "api.listen: only a new start can change it"),
        ({"cache": {"root": "elsewhere"}}, "cache.root: only a new start can change it"),
        ({"store": {"kind": "directory", "directory": {"root": "/proc/nothing"}}}, "the service does not start"),
        (
            {"store": {"directory": {"root": "elsewhere"}}},
            "elsewhere is no folder that exists; make it, or name another",
        ),
    ],
    ids=["a mistake", "the port", "the caches", "a store that is none", "a store that is not there"],
)
def test_a_configuration_that_cannot_be_put_in_force_changes_nothing(
    gateway: Gateway, sections: dict[str, object], says: str
) -> None:
    file = gateway.root / "config.yaml"
    before = file.read_text()
    in_force = texts(gateway)
    change(gateway, **{"limits": {"pixels": 1_000_000}, **sections}, presets={"tiny": "w=8"})
    try:
        assert says in reload(gateway)
        assert ask(gateway, "/images/cat.jpg/@w=77.jpg").status_code == 200
        until(lambda: ask(gateway, "/images/cat.jpg/@tiny.png").status_code == 400)  # nginx's old workers leave
        assert texts(gateway) == in_force
    finally:
        file.write_text(before)


def test_a_configuration_that_is_gone_changes_nothing(gateway: Gateway) -> None:
    file = gateway.root / "config.yaml"
    aside = file.rename(file.with_name("aside"))
    try:
        assert f"not reloaded: {file}: there is no such file; name the configuration with -c" in reload(gateway)
        assert ask(gateway, HIT).status_code == 200
    finally:
        aside.rename(file)


def environment(pid: int) -> bytes:
    """The environment of a process, empty for one that has ended: nginx's workers before a reload do."""
    try:
        return Path(f"/proc/{pid}/environ").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def test_systemd_hears_of_readiness_reload_and_stop(tmp_path: Path) -> None:
    file = write_config(tmp_path, {}, free_ports(2))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(60)
        process = subprocess.Popen(
            [sys.executable, "-m", "service", "up", "-c", str(file)],
            env={**os.environ, "NOTIFY_SOCKET": str(tmp_path / "notify")},
            stdout=subprocess.DEVNULL,  # standard error is shown with a failure
        )
        try:
            until(lambda: any("service serve" in command_line(pid) for pid in descendants(process.pid)))
            process.send_signal(signal.SIGHUP)  # nobody is told that it is up yet: heeded when it is
            assert systemd.recv(200) == b"READY=1"
            assert systemd.recv(200).startswith(b"RELOADING=1\nMONOTONIC_USEC=")
            assert systemd.recv(200) == b"READY=1"
            environments = list(map(environment, descendants(process.pid)))
            assert not any(b"NOTIFY_SOCKET" in one for one in environments)
            process.send_signal(signal.SIGHUP)
            assert systemd.recv(200).startswith(b"RELOADING=1\nMONOTONIC_USEC=")
            assert systemd.recv(200) == b"READY=1"
        finally:
            process.terminate()
        assert systemd.recv(200) == b"STOPPING=1"
        assert process.wait(60) == 0
