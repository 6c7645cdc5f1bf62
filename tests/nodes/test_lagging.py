"""Three nodes whose clocks are a minute apart, on a Swift that lags: nothing wrong is shown, and nothing old stays."""

from __future__ import annotations

import asyncio
import itertools
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest

from gateway.journal import Entry, parse_entry
from tests.nodes.cluster import HUB, NODES, Cluster, running_cluster
from tests.nodes.pictures import Picture, Truth, scaled
from tests.swift.lagging import LaggingSwift
from tests.swift.stores import client
from tests.waiting import until

pytestmark = pytest.mark.slow

PICTURES = range(4)
CLOCKS = {0: "+60", 1: "-60"}  # seconds by which nodes are wrong
TURNS = 13  # replacements, of each picture an odd number and then some: A, B, A, B ...
EVERY = 0.35  # seconds between two of them
CACHE = {"revalidate": "1h", "journal": "500ms", "journal_lag": "10s", "journal_digest": "always"}
STORE = {"timeout": "20s", "retries": 2}  # as the proxy and the machine may be slow
LATE = 4.0  # seconds after which the row of an entry shows, of every other picture
STALE = 3.0  # seconds for which objects are answered as they were, unless X-Newest is asked for

PROXIES: list[LaggingSwift] = []  # that was started


def clock(folder: Path, seconds: str) -> dict[str, str]:
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
def lagging(swift: str) -> Iterator[str]:
    """The proxy, in a thread of its own; that is in this one's network."""
    proxy, loop = LaggingSwift(swift), asyncio.new_event_loop()
    ready, end = threading.Event(), asyncio.Event()

    async def serve() -> None:
        async with proxy.running(HUB):
            ready.set()
            await end.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=[serve()])
    thread.start()
    try:
        assert ready.wait(60)
        PROXIES.append(proxy)
        yield proxy.url
    finally:
        loop.call_soon_threadsafe(end.set)
        thread.join()
        loop.close()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    root = tmp_path_factory.mktemp("lagging")
    environs = {number: clock(root / f"clock{number}", seconds) for number, seconds in CLOCKS.items()}
    with running_cluster(root, cache=CACHE, store=STORE, before_swift=lagging, environs=environs) as running:
        for number in PICTURES:
            running.upload(number % len(NODES), Picture(number))
        PROXIES[-1].stale = STALE
        PROXIES[-1].rows = lambda path: LATE if "-journal/" in path and path.endswith(("0.png", "2.png")) else 0.0
        yield running


def test_nothing_wrong_is_shown_and_nothing_old_stays(cluster: Cluster) -> None:
    """Pictures are replaced by way of all nodes in turn, by another and by what was there before."""
    for number, seconds in CLOCKS.items():
        shown = parsedate_to_datetime(cluster.nodes[number].api.get("/health/live").headers["Date"]).timestamp()
        assert abs(shown - time.time() - int(seconds)) < 30
    began, end = time.time(), threading.Event()
    either = {number: frozenset({0, 1}) for number in PICTURES}
    asked = list[int]()
    flaws = list[str]()

    def ask() -> None:
        for number in itertools.cycle(PICTURES):
            for node in range(len(NODES)):
                flaws.extend(flaw for flaw in [shows(cluster, Truth(either), node, number)] if flaw)
                asked.append(number)
            if end.is_set():
                return

    asking = threading.Thread(target=ask)
    asking.start()
    versions = dict.fromkeys(PICTURES, 0)
    for turn in range(TURNS):
        number = turn % len(PICTURES)
        versions[number] = 1 - versions[number]
        cluster.upload(turn % len(NODES), Picture(number, versions[number]))
        time.sleep(EVERY)
    end.set()
    asking.join()
    assert flaws == []
    assert len(asked) >= len(PICTURES) * len(NODES)

    now = {number: frozenset({version}) for number, version in versions.items()}

    def all_are_current() -> bool:
        truth = Truth(now)  # which has all nodes show the same bytes and the same ETag
        return not any(shows(cluster, truth, node, number) for node in range(len(NODES)) for number in PICTURES)

    until(all_are_current)
    for _ in range(10):
        assert all_are_current()
    times = [entry.time for entry in entries(cluster) if entry.kind == "put"]
    assert len(times) >= TURNS + len(PICTURES)
    assert all(began - 200 < written < time.time() + 20 for written in times)
    assert max(times) - min(times) < time.time() - began + 30


def shows(cluster: Cluster, truth: Truth, node: int, number: int) -> str:
    """What is wrong with a picture as a node shows it now; empty where nothing is."""
    wanted = scaled(number, "png")
    answer = cluster.ask(node, wanted.path)
    if answer.status_code != 200:
        return f"{wanted.path}: {answer.status_code} {answer.text}"
    return truth.flaw(wanted, answer, truth.current[number]) or ""


def entries(cluster: Cluster) -> list[Entry]:
    """All that is in the journal."""
    options = cluster.options["store"]["swift"]
    with cluster.network.hub.entered():
        url = options["auth_url"].removesuffix("/auth/v1.0")
        _, rows = client(url).get_container(f"{options['container']}-journal", full_listing=True)
    return [entry for row in rows if (entry := parse_entry(row["name"]))]
