"""The servers that are compared, each on loopback, with the same pictures and the same settings of quality.

The peers are installed at exact versions below var/bench, never among the project's own dependencies: thumbor with two
processes, its file loader and no storage of any kind; IPX with its own pool of threads. Neither caches results, so
every request is work to them.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.gateways import free_ports, running_gateway

HERE = Path(__file__).resolve().parent
HOME = HERE.parent / "var" / "bench"
IPX = ("ipx@3.1.1", "sharp@0.34.5")
QUALITY = {"jpg": 80, "webp": 80, "avif": 50}
PROCESSES = 2
START = 60.0  # seconds
_PILLOW = {"jpg": "jpeg"}  # formats that others name otherwise

THUMBOR = f"""
LOADER = "thumbor.loaders.file_loader"
FILE_LOADER_ROOT_PATH = {{folder!r}}
STORAGE = "thumbor.storages.no_storage"
RESULT_STORAGE = None
QUALITY = {QUALITY["jpg"]}
WEBP_QUALITY = {QUALITY["webp"]}
AVIF_QUALITY = {QUALITY["avif"]}
"""


@dataclass(frozen=True)
class Server:
    """A running server. `path` tells how it is asked for an image by name, width in pixels and format."""

    name: str
    client: httpx.Client
    pid: int
    path: Callable[[str, int, str], str]

    def get(self, image: str, width: int, format: str) -> bytes:
        return self.fetch(self.path(image, width, format))

    def fetch(self, path: str) -> bytes:
        answer = self.client.get(path)
        if answer.status_code != 200:
            raise RuntimeError(f"{self.name} answered {answer.status_code} to {path}")
        return answer.content


@contextlib.contextmanager
def all_servers(pictures: Path, scratch: Path) -> Iterator[list[Server]]:
    """The gateway and its peers, all over the pictures of one folder."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(start(pictures, scratch)) for start in SERVERS]


def gateway(pictures: Path, scratch: Path) -> contextlib.AbstractContextManager[Server]:
    """Ours: nginx in front of the service, nothing in any cache."""
    return _gateway("gateway", "auto", pictures, scratch)


def imagemagick(pictures: Path, scratch: Path) -> contextlib.AbstractContextManager[Server]:
    """Ours again, with ImageMagick for all that it can."""
    return _gateway("imagemagick", "imagemagick", pictures, scratch)


@contextlib.contextmanager
def _gateway(name: str, library: str, pictures: Path, scratch: Path) -> Iterator[Server]:
    options = {
        "engine": {"processes": PROCESSES, "library": library},
        "store": {"directory": {"root": str(pictures)}},
        "formats": {"quality": QUALITY},
    }
    with running_gateway(scratch / name, options) as running:
        yield Server(name, running.public, running.process.pid, lambda image, w, kind: f"/images/{image}/@w={w}.{kind}")


@contextlib.contextmanager
def thumbor(pictures: Path, scratch: Path) -> Iterator[Server]:
    folder = environment(HERE / "thumbor.txt")
    configuration = scratch / "thumbor.conf"
    configuration.write_text(THUMBOR.format(folder=str(pictures)))
    (port,) = free_ports(1)
    command = [folder / "bin/thumbor", "-i", "127.0.0.1", "-p", port, "-c", configuration, "--processes", PROCESSES]

    def path(name: str, width: int, kind: str) -> str:
        return f"/unsafe/{width}x0/filters:format({_PILLOW.get(kind, kind)})/{name}"

    with _running("thumbor", command, port, scratch, path) as server:
        yield server


@contextlib.contextmanager
def ipx(pictures: Path, scratch: Path) -> Iterator[Server]:
    folder = node_modules(IPX)
    (port,) = free_ports(1)
    command = [folder / ".bin/ipx", "serve", "--host", "127.0.0.1", "--port", port, "--dir", pictures]

    def path(name: str, width: int, kind: str) -> str:
        return f"/f_{_PILLOW.get(kind, kind)},w_{width},q_{QUALITY[kind]}/{name}"

    with _running("IPX", command, port, scratch, path) as server:
        yield server


SERVERS = (gateway, imagemagick, thumbor, ipx)


def environment(requirements: Path) -> Path:
    """A virtual environment with exactly these packages, below var/bench; made if it is missing."""
    path = HOME / f"{requirements.stem}-{_digest(requirements.read_text())}"
    if not (path / "complete").exists():
        print(f"bench: installing {requirements.stem} into {path.relative_to(HERE.parent)}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", path], check=True)
        pip = [str(path / "bin/python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "--no-deps", "-r", str(requirements)], check=True)
        (path / "complete").touch()
    return path


def node_modules(packages: tuple[str, ...]) -> Path:
    """A folder of npm packages at these versions, below var/bench; made if it is missing."""
    path = HOME / f"node-{_digest(' '.join(packages))}"
    if not (path / "complete").exists():
        print(f"bench: installing {packages[0]} into {path.relative_to(HERE.parent)}", file=sys.stderr)
        path.mkdir(parents=True, exist_ok=True)
        (path / "package.json").write_text("{}")
        npm = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--save-exact"]
        subprocess.run([*npm, *packages], cwd=path, check=True)
        (path / "complete").touch()
    return path / "node_modules"


@contextlib.contextmanager
def _running(
    name: str, command: list[object], port: int, scratch: Path, path: Callable[[str, int, str], str]
) -> Iterator[Server]:
    """The peer, from when it listens to the end of the block."""
    with (scratch / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, "NODE_ENV": "production"},
        )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False) as client:
            _await_answer(client, process, scratch / f"{name}.log")
            yield Server(name, client, process.pid, path)
    finally:
        process.terminate()
        process.wait(30)


def _await_answer(client: httpx.Client, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + START
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(httpx.TransportError):
            client.get("/")
            return
        time.sleep(0.1)
    raise RuntimeError(f"it did not start: {log.read_text()[-2000:]}")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]
