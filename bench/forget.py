"""What forgetting one image costs all others: 100,000 derived images of it on disk, 1,000 objects of it in Swift.

On disk: how long `DELETE NAME/@` takes, a replacement, and until a change by another node is noticed; and how long any
other request of the service waits meanwhile, against the same requests before. In Swift: how long 1,000 objects take to
be removed from a stand-in that takes 20 ms for each request, and how many requests are under way at once.
`python -m bench.forget [FILES]` exits with the number of bars that are missed.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx

from bench.slow_swift import CONTAINER, IMAGE
from service.store.swift.settings import SwiftSettings
from service.store.swift.store import SwiftStore
from tests import images
from tests.gateways import Gateway, running_gateway

FILES = 100_000
USUAL = 4.0  # seconds of the other requests before
AFTER = 2.0  # and after what is measured was answered
BETWEEN = 0.005  # seconds between two of them
ANSWER = 0.2  # seconds: the bar of the deletion
WAIT = 0.05  # seconds that another request may wait beyond what it did before
OBJECTS = 1000
CONNECTIONS = 16
REMOVAL = 3.0  # seconds: the bar of the objects
OPTIONS = {"cache": {"derived_per_image": 0, "revalidate": "2s"}}


def main() -> int:
    """Print a row for each change; the number of bars that are missed."""
    return sum(on_disk(FILES)) + sum(in_swift(bulk=bulk) for bulk in (False, True))


def on_disk(files: int) -> Iterator[int]:
    """How many bars each change misses, of an image with so many derived images."""
    with tempfile.TemporaryDirectory() as root, running_gateway(Path(root), OPTIONS) as gateway:
        for name in ("many.jpg", "other.jpg"):
            gateway.upload(name, images.jpeg(images.flat(64, 48, (1, 2, 3)))).raise_for_status()
            gateway.api.get(f"/images/{name}/@w=20.jpg").raise_for_status()
        for name, change in CHANGES.items():
            gateway.api.get("/images/many.jpg/@w=20.jpg").raise_for_status()
            fill(gateway.derived / "many.jpg", files)
            with Others(gateway) as others:
                time.sleep(USUAL)
                usual = others.longest()
                took = change(gateway)
                time.sleep(AFTER)
                waited = others.longest()
            until(lambda: not any((Path(root) / "var/cache/work").iterdir()))
            late = name != "comparison" and took > ANSWER
            print(
                f"forget   {name:11} {1000 * took:6.0f} ms  others waited {1000 * waited:5.0f} ms at most, "
                f"before {1000 * usual:5.0f} ms"
            )
            yield late + (waited > usual + WAIT)


def fill(folder: Path, count: int) -> None:
    """Give an image that many derived images more, as they lie on disk."""
    file = os.open(folder, os.O_RDONLY)
    for number in range(count):
        os.close(os.open(f"@w={number},up=1.jpg", os.O_CREAT | os.O_WRONLY, dir_fd=file))
    os.close(file)


def purge(gateway: Gateway) -> float:
    began = time.monotonic()
    gateway.api.delete("/images/many.jpg/@").raise_for_status()
    return time.monotonic() - began


def replace(gateway: Gateway) -> float:
    """Beyond what the same upload takes of an image that has nothing derived."""
    colours = itertools.count(10)

    def upload(name: str) -> float:
        began = time.monotonic()
        image = images.jpeg(images.flat(64, 48, (next(colours), 2, 3)))
        gateway.upload(name, image, replace="true").raise_for_status()
        return time.monotonic() - began

    plain = min(upload("plain.jpg") for _ in range(5))
    return max(0.0, upload("many.jpg") - plain)


def comparison(gateway: Gateway) -> float:
    """Until another node's change is noticed; up to `cache.revalidate`."""
    began = time.monotonic()
    (gateway.root / "var/store/many.jpg").write_bytes(images.jpeg(images.flat(64, 48, (99, 2, 3))))
    until(lambda: not (gateway.derived / "many.jpg/@w=7,up=1.jpg").exists())
    return time.monotonic() - began


CHANGES: dict[str, Callable[[Gateway], float]] = {"purge": purge, "replace": replace, "comparison": comparison}


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < end, "it does not come to an end"
        time.sleep(0.005)


class Others:
    """Requests for another image, one after the other, in a thread."""

    def __init__(self, gateway: Gateway) -> None:
        self._url = f"{gateway.api.base_url}/images/other.jpg/@w=20.jpg"
        self._took: list[float] = []
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._ask)

    def __enter__(self) -> Others:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def longest(self) -> float:
        """Since the last time this was asked, in seconds."""
        took, self._took = self._took, []
        return max(took, default=0.0)

    def _ask(self) -> None:
        with httpx.Client(trust_env=False, timeout=120) as client:
            while not self._done.is_set():
                began = time.monotonic()
                client.get(self._url).raise_for_status()
                self._took.append(time.monotonic() - began)
                time.sleep(BETWEEN)


def in_swift(*, bulk: bool) -> int:
    """The number of bars that are missed."""
    with slow_swift(bulk=bulk) as url:
        took = asyncio.run(remove(url))
        with urllib.request.urlopen(f"{url}/crowd") as answer:
            told = json.load(answer)
    kind = "in bulk" if bulk else "one by one"
    print(
        f"forget   {kind:11} {took:6.2f} s for {OBJECTS} objects, {told['most']} of {told['requests']} requests at once"
    )
    return sum((took > REMOVAL, told["most"] > CONNECTIONS, told["left"] > 0))


async def remove(url: str) -> float:
    """Seconds for listing and removing everything of the image."""
    settings = SwiftSettings(
        container="originals",
        derived_container=CONTAINER,
        auth_url=f"{url}/auth/v1.0",
        user="x",
        key="x",
        connections=CONNECTIONS,
    )
    store = SwiftStore(settings)
    began = time.monotonic()
    page = await store.derived.list(prefix=f"{IMAGE}/@", limit=OBJECTS)
    await store.derived.delete_all([kept.name for kept in page.objects])
    took = time.monotonic() - began
    await store.close()
    return took


@contextlib.contextmanager
def slow_swift(*, bulk: bool) -> Iterator[str]:
    command = [sys.executable, "-m", "bench.slow_swift", str(OBJECTS), *(["bulk"] if bulk else [])]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


if __name__ == "__main__":
    if len(sys.argv) > 1:
        FILES = int(sys.argv[1])
    raise SystemExit(main())
