"""What must hold after every attack: the same processes, no file too many, no memory kept, and good images as ever."""

from __future__ import annotations

import contextlib
import io
import itertools
import re
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import yaml
from PIL import Image

from tests import images
from tests.gateways import Gateway

MEMORY = 96 * 2**20  # bytes that the service, nginx and the engine together may keep of an attack
DESCRIPTORS = 12  # that the service may have more than before: connections kept alive, no others
SETTLE = 120.0  # seconds within which everything is as before, however busy the machine is

GOOD = images.jpeg(images.photo(320, 240))
UNFORESEEN = re.compile(
    r"an unexpected failure|the engine failed|Traceback|Unhandled|was never retrieved|\[alert\]|\[emerg\]"
)
_serial = itertools.count()
ENDED = re.compile(r"engine process \d+ ended over a job|timed-out: the image took longer")


@contextlib.contextmanager
def unharmed(gateway: Gateway, *, deaths: int = 0, memory: int = MEMORY) -> Iterator[None]:
    """Around an attack. `deaths`: the engine processes that it may cost at most; another one serves in the end."""
    ensure_good(gateway)
    assert_serves(gateway)
    before = _State(gateway)
    yield
    assert_serves(gateway)
    end = time.monotonic() + SETTLE
    assert not UNFORESEEN.search(before.log), before.log
    while faults := before.differences(memory, deaths):
        assert time.monotonic() < end, "; ".join(faults)
        time.sleep(0.1)


def ensure_good(gateway: Gateway) -> None:
    if gateway.api.get("/images/good.jpg", params={"original": "true"}).status_code == 404:
        assert gateway.upload("good.jpg", GOOD).status_code == 201


def assert_serves(gateway: Gateway) -> None:
    """A good image is made that never was before, and served again from the disk."""
    number = next(_serial)
    size = (100 + number % 200, 10 + number // 200)
    for level in ("MISS", "HIT-DISK"):
        answered = gateway.public.get(f"/images/good.jpg/@crop=0:0:{size[0]}:{size[1]}.png")
        assert answered.status_code == 200, answered.text
        assert answered.headers["X-Cache"] == level
        assert Image.open(io.BytesIO(answered.content)).size == size


class _State:
    """A gateway at one moment, and what is different later."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._most: int = yaml.safe_load((gateway.root / "config.yaml").read_text())["engine"]["processes"]
        end = time.monotonic() + SETTLE
        while not (before := _Snapshot(gateway)).engines:  # the one that there was is being replaced
            assert time.monotonic() < end, "the gateway has no engine process"
            time.sleep(0.1)
        self._before = before
        self._said = len(gateway.log)

    @property
    def log(self) -> str:
        """What was logged since."""
        return self._gateway.log[self._said :]

    def differences(self, memory: int, deaths: int) -> list[str]:
        """What is not as it was."""
        before, now, died = self._before, _Snapshot(self._gateway), len(ENDED.findall(self.log))
        found = {
            "nginx or the service is another process": now.lasting != before.lasting,
            f"{died} engine processes died": died > deaths,
            f"{now.engines} engine processes, not 1 to {self._most}": not 1 <= now.engines <= self._most,
            f"files were left: {now.unfinished}": bool(now.unfinished),
            f"{now.descriptors} descriptors, not {before.descriptors}": now.descriptors
            > before.descriptors + DESCRIPTORS,
            f"{now.memory >> 20} MiB are held, not {before.memory >> 20}": now.memory > before.memory + memory,
            "something was dumped": any(self._gateway.root.rglob("core*")),
        }
        return [text for text, wrong in found.items() if wrong]


class _Snapshot:
    """Process ids of nginx and the service, the number of engine processes, files of unfinished work, descriptors of
    the service, and the bytes that all processes hold for themselves (proportional set size)."""

    def __init__(self, gateway: Gateway) -> None:
        self.lasting: set[int] = set()
        self.engines = self.descriptors = self.memory = 0
        self.unfinished = sorted(path.name for path in (gateway.root / "var/cache/work").iterdir())
        for process in psutil.Process(gateway.process.pid).children(recursive=True):
            with contextlib.suppress(psutil.Error):
                self._count(process, " ".join(process.cmdline()))

    def _count(self, process: psutil.Process, command: str) -> None:
        self.memory += process.memory_full_info().pss
        if "service.engine.pool.worker" in command:
            self.engines += 1
        if "nginx" in command or "service serve" in command:
            self.lasting.add(process.pid)
        if "service serve" in command:
            self.descriptors = process.num_fds()


def plant(gateway: Gateway, name: str, data: bytes) -> None:
    """Put an original into the store past every check, as a user with a shell may."""
    path: Path = gateway.root / "var/store" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
