"""A cluster whose nodes have wrong clocks, on a Swift behind a proxy that lags; and what its nodes show."""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gateway.journal import Entry, parse_entries
from tests.nodes.cluster import HUB, NODES, Cluster, running_cluster
from tests.nodes.pictures import Picture, Truth, scaled
from tests.swift.lagging import LaggingSwift
from tests.swift.stores import client

CLOCKS = {0: "+60", 1: "-60"}  # seconds by which nodes are wrong
STORE = {"timeout": "20s", "retries": 2}  # as the proxy and the machine may be slow


@dataclass
class Lagging:
    """A cluster and the proxy before its Swift; `versions` are those of the pictures that were stored last."""

    cluster: Cluster
    proxy: LaggingSwift
    versions: dict[int, int] = field(default_factory=dict)

    def change(self, number: int, node: int) -> None:
        """Replace a picture by way of a node: A, B, A, B."""
        self.versions[number] = 1 - self.versions.get(number, 1)
        self.cluster.upload(node, Picture(number, self.versions[number]))

    def change_behind_the_back(self, number: int) -> None:
        """Replace a picture as another program does it."""
        self.versions[number] = 1 - self.versions[number]
        picture = Picture(number, self.versions[number])
        with self.cluster.network.hub.entered():
            container = self.cluster.options["store"]["swift"]["container"]
            client(self.proxy.url).put_object(container, picture.name, picture.file, content_type="image/png")

    def outdated(self) -> list[str]:
        """What the nodes do not show as it was stored last, all in the same bytes and with the same ETag."""
        truth = Truth({number: frozenset({now}) for number, now in self.versions.items()})
        shown = itertools.product(self.cluster.nodes, self.versions)
        return [flaw for node, number in shown if (flaw := self._flaw(truth, node, number))]

    @contextmanager
    def asked(self, numbers: Sequence[int]) -> Iterator[None]:
        """Meanwhile all nodes are asked for these pictures, and each at least once. Raises AssertionError at the end
        where one was shown in neither of its versions, or not at all."""
        end, flaws = threading.Event(), list[str]()
        either = dict.fromkeys(numbers, frozenset({0, 1}))

        def ask() -> None:
            for round_ in itertools.count():
                for node, number in itertools.product(self.cluster.nodes, numbers):
                    flaws.extend(flaw for flaw in [self._flaw(Truth(either), node, number)] if flaw)
                    if round_ and end.is_set():
                        return

        with ThreadPoolExecutor(1) as executor:
            asking = executor.submit(ask)
            try:
                yield
            finally:
                end.set()
        asking.result()  # raises what the thread did
        assert not flaws, "\n".join(flaws)

    def entries(self) -> list[Entry]:
        """All that is in the journal."""
        container = self.cluster.options["store"]["swift"]["container"]
        with self.cluster.network.hub.entered():
            _, rows = client(self.proxy.upstream).get_container(f"{container}-journal", full_listing=True)
        return [entry for row in rows for entry in parse_entries(row["name"])]

    def _flaw(self, truth: Truth, node: int, number: int) -> str | None:
        wanted = scaled(number, "png")
        answer = self.cluster.ask(node, wanted.path)
        if answer.status_code != 200:
            return f"{wanted.path}: {answer.status_code} {answer.text}"
        return truth.flaw(wanted, answer, truth.current[number])


@contextmanager
def lagging_cluster(root: Path, cache: Mapping[str, Any], numbers: Sequence[int]) -> Iterator[Lagging]:
    """A cluster with these options of `cache`, in which these pictures were stored; its proxy does not lag yet."""
    proxies = list[LaggingSwift]()

    @contextmanager
    def before_swift(swift: str) -> Iterator[str]:
        with _in_thread(LaggingSwift(swift)) as proxy:
            proxies.append(proxy)
            yield proxy.url

    environs = {number: _clock(root / f"clock{number}", seconds) for number, seconds in CLOCKS.items()}
    with running_cluster(root, cache=cache, store=STORE, before_swift=before_swift, environs=environs) as running:
        lagging = Lagging(running, proxies[-1])
        for number in numbers:
            lagging.change(number, number % len(NODES))
        yield lagging


def _clock(folder: Path, seconds: str) -> dict[str, str]:
    """Variables that give the Python of a process another time of day, and leave its monotonic clock.

    libfaketime 0.9.10, Debian 12's, cannot do it: under it `time.sleep` of Python 3.11 fails with EINVAL.
    """
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(
        "import time\n"
        "seconds, nanoseconds = time.time, time.time_ns\n"
        f"time.time = lambda: seconds() + {seconds}\n"
        f"time.time_ns = lambda: nanoseconds() + {seconds} * 10**9\n"
    )
    return {"PYTHONPATH": str(folder)}


@contextmanager
def _in_thread(proxy: LaggingSwift) -> Iterator[LaggingSwift]:
    """The proxy, in a thread of its own; that is in this one's network."""
    loop = asyncio.new_event_loop()
    ready, end = threading.Event(), asyncio.Event()

    async def serve() -> None:
        async with proxy.running(HUB):
            ready.set()
            await end.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=[serve()])
    thread.start()
    try:
        assert ready.wait(60)
        yield proxy
    finally:
        loop.call_soon_threadsafe(end.set)
        thread.join()
        loop.close()
