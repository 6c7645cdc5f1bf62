"""A real gateway for tests: nginx and the service, supervised, on free ports of loopback, below a folder of its own."""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml

from gateway.config import rules_of
from service.runtime.configuration import read_config
from service.runtime.imagemagick import FORMATS
from service.runtime.paths import paths_of
from service.runtime.versions import SOFTWARE
from service.supervise import twins

PORTS = range(10240, int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0]))
"""Those that no client is given, so that what is free a moment later is still free."""

OWN = 256  # ports that each process of tests has for itself
START = 240.0  # seconds that a start may take on a busy machine; it takes 2 to 4 s of CPU
_claims: list[socket.socket] = []  # held until this process ends
_proved: set[str] = set()  # what starts have compared, as `twins.fingerprint` names it
_answers: dict[str, bytes] = {}  # what starts have asked the libraries, as the runtime folder remembers it


@dataclass(frozen=True)
class Gateway:
    """A running gateway: its ports as clients, its folders as paths, its supervisor as a process."""

    public: httpx.Client
    api: httpx.Client
    root: Path
    process: subprocess.Popen[bytes]

    @property
    def derived(self) -> Path:
        return self.root / "var/cache/derived"

    @property
    def log(self) -> str:
        return (self.root / "log").read_text(errors="replace")

    def upload(self, name: str, data: bytes, **parameters: str) -> httpx.Response:
        return self.api.post(f"/images/{name}", content=data, params=parameters)

    def pids(self, words: str) -> list[int]:
        """The processes of this gateway whose command line holds `words`."""
        return [pid for pid in descendants(self.process.pid) if words in command_line(pid)]

    def stop_service(self) -> None:
        """Freeze the service, so that nothing that needs it is answered."""
        for pid in self.pids("service serve"):
            os.kill(pid, signal.SIGSTOP)

    def continue_service(self) -> None:
        for pid in self.pids("service serve"):
            os.kill(pid, signal.SIGCONT)


def free_ports(count: int) -> list[int]:
    """Ports on which no process listens now, and that no other process of tests gets."""
    found = list(itertools.islice(filter(_is_free, itertools.islice(_own_ports(), OWN)), count))
    assert len(found) == count, f"{count} of {OWN} ports are not free"
    return found


@functools.cache
def _own_ports() -> Iterator[int]:
    """This process's ports, in turn for ever.

    A claim is the name of an abstract socket: one process holds it until it ends, and it belongs to the same network
    namespace as the ports.
    """
    for first in range(PORTS.start, PORTS.stop - OWN, OWN):
        claim = socket.socket(socket.AF_UNIX)
        try:
            claim.bind(f"\0image-gateway tests, ports from {first}")
        except OSError:
            claim.close()
        else:
            _claims.append(claim)
            return itertools.cycle(range(first, first + OWN))
    raise AssertionError(f"other processes of tests have all ports from {PORTS.start} to {PORTS.stop}")


def _is_free(port: int) -> bool:
    with socket.socket() as trial:
        try:
            trial.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def write_config(root: Path, options: Mapping[str, Any], ports: Sequence[int]) -> Path:
    """A config.yaml in `root` with these options and ports."""
    document = {key: dict(value) if isinstance(value, Mapping) else value for key, value in options.items()}
    document["public"] = {"listen": f"127.0.0.1:{ports[0]}", **document.get("public", {})}
    document["api"] = {"listen": f"127.0.0.1:{ports[1]}", **document.get("api", {})}
    document.setdefault("engine", {}).setdefault("processes", 1)
    file = root / "config.yaml"
    file.write_text(yaml.safe_dump(document))
    return file


@contextlib.contextmanager
def running_gateway(
    root: Path,
    options: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] | None = None,
    ports: Sequence[int] = (),
) -> Iterator[Gateway]:
    """Start a gateway with these options, and end it; afterwards none of its processes is left. `ports` are the public
    one and the API's; others than last time where there are none."""
    root.mkdir(parents=True, exist_ok=True)
    file = write_config(root, options or {}, ports or free_ports(2))
    proof = _share_proof(file)
    with (root / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "service", "up", "-c", str(file)],
            stdout=subprocess.PIPE,
            stderr=log,
            env={**os.environ, **(environ or {})},
        )
    try:
        _await_start(process, root)
        _proved.add(proof)
        _answers.update(_remembered(file))
        with (
            httpx.Client(base_url=_url(file, "public"), timeout=60, trust_env=False) as public,
            httpx.Client(base_url=_url(file, "api"), timeout=60, trust_env=False) as api,
        ):
            yield Gateway(public, api, root, process)
    finally:
        children = descendants(process.pid)
        process.terminate()
        process.wait(60)
        if process.stdout:
            process.stdout.close()
        assert not [pid for pid in children if alive(pid)], "the gateway left processes behind"


def _share_proof(file: Path) -> str:
    """Remember for this gateway what other starts found out: that the twins agree under the same rules, and what the
    libraries can."""
    config, _ = read_config(file)
    proof = twins.fingerprint(rules_of(config))
    folder = paths_of(config).runtime
    folder.mkdir(parents=True, exist_ok=True)
    for name, answer in _answers.items():
        (folder / name).write_bytes(answer)
    if proof in _proved:
        (folder / twins.PROOF).write_text(proof, "ascii")
    return proof


def _remembered(file: Path) -> dict[str, bytes]:
    folder = paths_of(read_config(file)[0]).runtime
    return {name: (folder / name).read_bytes() for name in (FORMATS, SOFTWARE) if (folder / name).exists()}


def _url(file: Path, port: str) -> str:
    return f"http://{yaml.safe_load(file.read_text())[port]['listen']}"


def _await_start(process: subprocess.Popen[bytes], root: Path) -> None:
    assert process.stdout is not None
    os.set_blocking(process.stdout.fileno(), False)
    end = time.monotonic() + START
    said = b""
    while time.monotonic() < end:
        said += process.stdout.read() or b""
        if b"gateway is up" in said:
            return
        if process.poll() is not None:
            break
        time.sleep(0.02)
    raise AssertionError(f"the gateway did not start: {(root / 'log').read_text()}")


def descendants(pid: int) -> list[int]:
    """Every process below `pid`."""
    found: list[int] = []
    parents = {pid}
    while parents:
        children = {child for child, parent in _parents().items() if parent in parents} - set(found)
        found += children
        parents = children
    return found


def alive(pid: int) -> bool:
    """Whether the process runs (a zombie does not)."""
    try:
        return re.search(r"^State:\s+Z", Path(f"/proc/{pid}/status").read_text(), re.M) is None
    except (FileNotFoundError, ProcessLookupError):
        return False


def command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""


def _parents() -> dict[int, int]:
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                stat = (entry / "stat").read_text()
                found[int(entry.name)] = int(stat.rpartition(")")[2].split()[1])
    return found
