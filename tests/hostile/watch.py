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
from PIL import Image

from tests import images
from tests.gateways import Gateway

MEMORY = 96 * 2**20  # bytes that the service, nginx and the engine together may keep of an attack
DESCRIPTORS = 12  # that the service may have more than before: connections kept alive, no others
SETTLE = 15.0  # seconds within which everything is as before

GOOD = images.jpeg(images.photo(320, 240))
UNFORESEEN = re.compile(
    r"an unexpected failure|the engine failed|Traceback|Unhandled|was never retrieved|\[alert\]|\[emerg\]"
)
_serial = itertools.count()
ENDED = re.compile(r"engine process \d+ ended over a job|timed-out: ")


@contextlib.contextmanager
def unharmed(gateway: Gateway, *, deaths: int = 0, memory: int = MEMORY) -> Iterator[None]:
    """Around an attack. `deaths`: the engine processes that it may cost at most; they are back in the end."""
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
    """A gateway at one moment."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self.lasting = self._lasting()
        self.engines = len(gateway.pids("service.engine.worker"))
        self.said = len(gateway.log)
        self.descriptors = self._descriptors()
        self.memory = self._memory()
        assert self.engines, "the gateway has no engine process"

    def differences(self, memory: int, deaths: int) -> list[str]:
        """What is not as it was."""
        died = len(ENDED.findall(self.log))
        now = self._memory()
        found = {
            "nginx or the service is another process": self._lasting() != self.lasting,
            f"{died} engine processes died": died > deaths,
            "engine processes are missing": len(self._gateway.pids("service.engine.worker")) != self.engines,
            f"files were left: {self._unfinished()}": bool(self._unfinished()),
            f"{self._descriptors()} descriptors, not {self.descriptors}": self._descriptors()
            > self.descriptors + DESCRIPTORS,
            f"{now >> 20} MiB are held, not {self.memory >> 20}": now > self.memory + memory,
            "something was dumped": any(self._gateway.root.rglob("core*")),
        }
        return [text for text, wrong in found.items() if wrong]

    @property
    def log(self) -> str:
        """What was logged since."""
        return self._gateway.log[self.said :]

    def _lasting(self) -> list[int]:
        return sorted(self._gateway.pids("nginx") + self._gateway.pids("service serve"))

    def _unfinished(self) -> list[str]:
        return sorted(path.name for path in (self._gateway.root / "var/cache/work").iterdir())

    def _descriptors(self) -> int:
        (service,) = self._gateway.pids("service serve")
        return sum(1 for _ in Path(f"/proc/{service}/fd").iterdir())

    def _memory(self) -> int:
        """Bytes that all processes hold for themselves (proportional set size)."""
        total = 0
        for process in psutil.Process(self._gateway.process.pid).children(recursive=True):
            with contextlib.suppress(psutil.Error):
                total += process.memory_full_info().pss
        return total


def plant(gateway: Gateway, name: str, data: bytes) -> None:
    """Put an original into the store past every check, as somebody with a shell may."""
    path: Path = gateway.root / "var/store" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
