"""Clients of the balancer: each asks for one image after the other, and looks at every answer."""

from __future__ import annotations

import itertools
import math
import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx

from tests.nodes.network import Machine
from tests.nodes.pictures import COUNT, KINDS, Truth, Wanted, cropped, scaled

PAUSE = 0.02  # seconds between an answer and the next question
PATIENCE = 90.0  # seconds: no client gives up before the balancer does


@dataclass(frozen=True)
class Asked:
    """One request: when it began and ended (monotonic), the nodes that the balancer tried, the cache that had it."""

    path: str
    began: float
    ended: float
    tried: tuple[str, ...]
    cache: str
    failure: str | None
    flaw: str | None


class Load:
    """Clients on `machine` that ask `url`: four for what is on the nodes' disks, two for what has to be made.

    `asked` are their requests that have ended; `waiting` tells when the others began, by client.
    """

    def __init__(self, machine: Machine, url: str, truth: Truth) -> None:
        self.asked: list[Asked] = []
        self.waiting: dict[int, float] = {}
        self._machine = machine
        self._url = url
        self._truth = truth
        self._end = threading.Event()

    @contextmanager
    def running(self) -> Iterator[None]:
        sources = [*(_hits(seed) for seed in range(4)), *(_misses(first) for first in range(2))]
        threads = [threading.Thread(target=self._client, args=each) for each in enumerate(sources)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._end.set()
            for thread in threads:
                thread.join()

    def answered_by(self, began: float, until: float = math.inf) -> set[str]:
        """The nodes whose answers to what began in this time were taken."""
        return {one.tried[-1] for one in list(self.asked) if began <= one.began < until and not one.failure}

    def longest_wait(self) -> float:
        """Seconds for which the oldest of the requests under way has been waiting."""
        return time.monotonic() - min(self.waiting.copy().values(), default=math.inf)

    def _client(self, number: int, source: Iterator[Wanted]) -> None:
        with self._machine.entered(), httpx.Client(base_url=self._url, timeout=PATIENCE, trust_env=False) as client:
            while not self._end.is_set():
                self.waiting[number] = time.monotonic()
                self.asked.append(self._ask(client, next(source), self.waiting[number]))
                del self.waiting[number]
                time.sleep(PAUSE)

    def _ask(self, client: httpx.Client, wanted: Wanted, began: float) -> Asked:
        tried, cache, failure, flaw = "", "", None, None
        before = self._truth.current[wanted.number]
        try:
            with client.stream("GET", wanted.path) as answer:
                tried, cache = answer.headers.get("X-Tried", ""), answer.headers.get("X-Cache", "")
                answer.read()
        except httpx.TransportError as error:
            failure = repr(error)
        else:
            if answer.status_code == 200:
                flaw = self._truth.flaw(wanted, answer, before | self._truth.current[wanted.number])
            else:
                failure = f"{answer.status_code} {answer.text}"
        nodes = tuple(one.strip() for one in tried.split(",") if one)
        return Asked(wanted.path, began, time.monotonic(), nodes, cache, failure, flaw)


def _hits(seed: int) -> Iterator[Wanted]:
    choose = random.Random(seed)
    while True:
        yield scaled(choose.randrange(COUNT), choose.choice(KINDS))


def _misses(first: int) -> Iterator[Wanted]:
    """Names that were not requested before; those that begin at 0 and at 1 are never the same."""
    for turn in itertools.count(first, 2):
        yield cropped(turn // 2 % COUNT, turn)
