"""The servers that are compared, each on loopback, with the same pictures and the same settings of quality.

The peers are installed at exact versions below var/bench, never among the project's own dependencies: thumbor with two
processes, its file loader and no storage of any kind; IPX with its own pool of threads. Neither caches results, so
every request is work to them.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.gateways import descendants, free_ports, running_gateway

HERE = Path(__file__).resolve().parent
HOME = HERE.parent / "var" / "bench"
IPX = "ipx@3.1.1"
SHARP = "0.35.5"  # that IPX is made to take: with libvips 8.18
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
class Asked:
    """An image by its name, `width` pixels wide (0: whole), or cut to `height` too around what stands out. `quality` is
    1..100; None is that of QUALITY."""

    image: str
    width: int
    format: str
    height: int | None = None
    quality: int | None = None


@dataclass(frozen=True)
class Server:
    """A running server. `path` says how it is asked for an image; `fetch` returns what a path leads to and raises
    RuntimeError for any answer but 200. `others` are processes of it that are not below `pid`."""

    name: str
    pid: int
    path: Callable[[Asked], str]
    fetch: Callable[[str], bytes]
    others: tuple[int, ...] = ()

    def get(self, image: str, width: int, format: str) -> bytes:
        return self.fetch(self.path(Asked(image, width, format)))


Start = Callable[[Path, Path], contextlib.AbstractContextManager[Server]]
"""Takes the folder of pictures and one for what the server writes."""


@contextlib.contextmanager
def all_servers(pictures: Path, scratch: Path, starts: Iterable[Start]) -> Iterator[list[Server]]:
    """The servers that `starts` start, all over the pictures of one folder."""
    scratch.mkdir(exist_ok=True)
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(start(pictures, scratch)) for start in starts]


def gateway(pictures: Path, scratch: Path) -> contextlib.AbstractContextManager[Server]:
    """Ours: nginx in front of the service, nothing in any cache."""
    return _gateway("gateway", "auto", pictures, scratch)


def imagemagick(pictures: Path, scratch: Path) -> contextlib.AbstractContextManager[Server]:
    """Ours with ImageMagick for all that it can do."""
    return _gateway("imagemagick", "imagemagick", pictures, scratch)


@contextlib.contextmanager
def _gateway(name: str, library: str, pictures: Path, scratch: Path) -> Iterator[Server]:
    options = {
        "engine": {"processes": PROCESSES, "library": library},
        "store": {"directory": {"root": str(pictures)}},
        "formats": {"quality": QUALITY},
    }

    def path(asked: Asked) -> str:
        box = f",h={asked.height},fit=cover,g=smart" if asked.height else ""
        quality = f",q={asked.quality}" if asked.quality else ""
        recipe = f"w={asked.width}{box}{quality}" if asked.width else "full"
        return f"/images/{asked.image}/@{recipe}.{asked.format}"

    with running_gateway(scratch / name, options, ports=_ports(scratch / name)) as running:
        yield Server(name, running.process.pid, path, _fetcher(name, running.public))


@functools.cache
def _ports(_root: Path) -> list[int]:
    """The same at each start of a gateway: with other ports nginx's template would be filled in anew."""
    return free_ports(2)


def _fetcher(name: str, client: httpx.Client) -> Callable[[str], bytes]:
    def fetch(path: str) -> bytes:
        answer = client.get(path)
        if answer.status_code != 200:
            raise RuntimeError(f"{name} answered {answer.status_code} to {path}: {answer.text[:500]}")
        return answer.content

    return fetch


@contextlib.contextmanager
def thumbor(pictures: Path, scratch: Path) -> Iterator[Server]:
    folder = environment(HERE / "thumbor.txt")
    configuration = scratch / "thumbor.conf"
    configuration.write_text(THUMBOR.format(folder=str(pictures)))
    (port,) = free_ports(1)
    command = [folder / "bin/thumbor", "-i", "127.0.0.1", "-p", port, "-c", configuration, "--processes", PROCESSES]

    def path(asked: Asked) -> str:
        box = f"{asked.width}x{asked.height}/smart" if asked.height else f"{asked.width}x0"
        quality = f":quality({asked.quality})" if asked.quality else ""
        return f"/unsafe/{box}/filters:format({_PILLOW.get(asked.format, asked.format)}){quality}/{asked.image}"

    with _running("thumbor", command, port, scratch, path) as server:
        yield server


@contextlib.contextmanager
def ipx(pictures: Path, scratch: Path) -> Iterator[Server]:
    folder = node_modules(IPX, {"sharp": SHARP})
    (port,) = free_ports(1)
    command = [folder / ".bin/ipx", "serve", "--host", "127.0.0.1", "--port", port, "--dir", pictures]

    def path(asked: Asked) -> str:
        box = f"s_{asked.width}x{asked.height},fit_cover,position_attention" if asked.height else f"w_{asked.width}"
        quality = asked.quality or QUALITY.get(asked.format)
        film = ",animated" if asked.image.endswith(".gif") else ""
        options = f"{box}{f',q_{quality}' if quality else ''}{film}"
        return f"/f_{_PILLOW.get(asked.format, asked.format)},{options}/{asked.image}"

    with _running("IPX", command, port, scratch, path) as server:
        yield server


SERVERS: tuple[Start, ...] = (gateway, thumbor, ipx)


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


def node_modules(package: str, overrides: dict[str, str]) -> Path:
    """A folder with an npm package and what it needs, below var/bench; made if it is missing. `overrides` are versions
    of packages that it would take in another one."""
    manifest = json.dumps({"overrides": overrides})
    path = HOME / f"node-{_digest(package + manifest)}"
    if not (path / "complete").exists():
        print(f"bench: installing {package} into {path.relative_to(HERE.parent)}", file=sys.stderr)
        path.mkdir(parents=True, exist_ok=True)
        (path / "package.json").write_text(manifest)
        npm = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--save-exact"]
        subprocess.run([*npm, package], cwd=path, check=True)
        (path / "complete").touch()
    return path / "node_modules"


@contextlib.contextmanager
def _running(
    name: str, command: list[object], port: int, scratch: Path, path: Callable[[Asked], str]
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
            yield Server(name, process.pid, path, _fetcher(name, client))
    finally:
        children = descendants(process.pid)
        process.terminate()
        process.wait(30)
        for child in children:  # thumbor leaves its processes behind
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGTERM)


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
