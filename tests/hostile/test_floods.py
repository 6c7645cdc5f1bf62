"""Floods of what must be made or refused: what is on disk is served meanwhile, and nothing grows without bound."""

from __future__ import annotations

import itertools
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from service.cache.generation import RECORD
from tests import images
from tests.gateways import Gateway, running_gateway
from tests.hostile.watch import ensure_good, unharmed
from tests.waiting import until

pytestmark = pytest.mark.slow

HIT = "/images/good.jpg/@w=99.png"
SENDERS = 8
KEY = "0123456789abcdef0123456789abcdef"


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway in which only four images may wait."""
    with running_gateway(
        tmp_path_factory.mktemp("crowded"), {"limits": {"queue": 4}, "engine": {"memory": "512MiB"}}
    ) as one:
        yield one


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway that makes one image a second for each address, and the first twenty at once."""
    with running_gateway(tmp_path_factory.mktemp("limited"), {"limits": {"rate": 1}}) as one:
        yield one


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway that answers signed names only."""
    options = {"public": {"access": "signed", "keys": {"a": KEY}}}
    with running_gateway(tmp_path_factory.mktemp("signed"), options) as one:
        yield one


def flood(count: int, path: Callable[[int], str], client: httpx.Client) -> list[httpx.Response]:
    """`count` requests from SENDERS senders at once."""

    def send(numbers: Iterator[int]) -> list[httpx.Response]:
        with httpx.Client(base_url=client.base_url, timeout=60, trust_env=False) as own:
            return [own.get(path(number)) for number in numbers]

    with ThreadPoolExecutor(SENDERS) as pool:
        shares = (iter(range(start, count, SENDERS)) for start in range(SENDERS))
        return list(itertools.chain.from_iterable(pool.map(send, shares)))


def while_hitting(
    gateway: Gateway, attack: Callable[[], list[httpx.Response]]
) -> tuple[list[httpx.Response], list[httpx.Response]]:
    """The answers to an attack, and to requests for one image on disk that were made all the while."""
    with ThreadPoolExecutor(1) as pool:
        attacking = pool.submit(attack)
        hits = [gateway.public.get(HIT)]
        while not attacking.done():
            hits.append(gateway.public.get(HIT))
        return attacking.result(), hits


def test_a_flood_of_recipes_is_made_or_refused_and_spoils_no_hit(crowded: Gateway) -> None:
    with unharmed(crowded):
        good = crowded.public.get(HIT).content
        answers, hits = while_hitting(
            crowded, lambda: flood(160, lambda n: f"/images/good.jpg/@crop=0:0:{80 + n}:77,blur=3.jpg", crowded.public)
        )
        statuses = Counter(answer.status_code for answer in answers)
        assert set(statuses) <= {200, 503}
        assert statuses[200] >= 5
        assert {answer.status_code for answer in hits} == {200}
        assert {answer.content for answer in hits} == {good}
        for answer in answers:
            assert answer.is_success or int(answer.headers["Retry-After"]) >= 1
        assert len(list((crowded.derived / "good.jpg").glob("@crop=*,blur=3.jpg"))) == statuses[200]


INSIDE: dict[str, Callable[[Gateway], httpx.Response]] = {
    "upload": lambda gateway: gateway.upload("inside.png", images.png(images.photo(64, 48)), replace="true"),
    "derived": lambda gateway: gateway.api.get("/images/good.jpg/@w=29.webp"),
    "metadata": lambda gateway: gateway.api.get("/images/good.jpg?meta=true"),
    "list": lambda gateway: gateway.api.get("/images"),
}


@pytest.mark.parametrize("wish", INSIDE)
def test_a_queue_full_of_what_the_public_wants_keeps_nobody_inside_from_working(crowded: Gateway, wish: str) -> None:
    first = 10 * list(INSIDE).index(wish)
    slow = [f"/images/good.jpg/@w=700,up=1,blur=20,rot={first + n}.png" for n in range(1, 6)]
    with unharmed(crowded), ThreadPoolExecutor(len(slow)) as pool:
        asked = [pool.submit(crowded.public.get, path) for path in slow]
        until(lambda: waiting(crowded, "small") == len(slow) - 1)
        assert crowded.public.get(f"/images/good.jpg/@w={31 + first}.png").status_code == 503
        answer = INSIDE[wish](crowded)
        assert answer.is_success, answer.text
    assert {one.result().status_code for one in asked} == {200}


def waiting(gateway: Gateway, lane: str) -> float:
    found = re.search(rf'^image_gateway_engine_waiting{{lane="{lane}"}} (\S+)$', gateway.api.get("/metrics").text, re.M)
    assert found
    return float(found[1])


def test_a_flood_of_missing_names_leaves_nothing(gateway: Gateway) -> None:
    with unharmed(gateway):
        good = gateway.public.get(HIT).content
        before, said = size_of(gateway), len(gateway.log)
        answers, hits = while_hitting(
            gateway, lambda: flood(1200, lambda n: f"/images/missing/{n}.jpg/@w={1 + n}.webp", gateway.public)
        )
        assert {answer.status_code for answer in answers} == {404}
        assert {answer.content for answer in hits} == {good}
        assert size_of(gateway) == before
        assert len(gateway.log) < said + 100_000


def test_a_flood_of_malformed_requests_leaves_nothing(gateway: Gateway) -> None:
    with unharmed(gateway):
        good = gateway.public.get(HIT).content
        before, said = size_of(gateway), len(gateway.log)
        answers, hits = while_hitting(
            gateway, lambda: flood(1200, lambda n: f"/images/good.jpg/@w={5000 + n},x{n}=1.webp", gateway.public)
        )
        assert {answer.status_code for answer in answers} == {400}
        assert {answer.content for answer in hits} == {good}
        assert size_of(gateway) == before
        assert len(gateway.log) - said < 10_000


def test_a_rate_limit_counts_misses_and_no_hits(limited: Gateway) -> None:
    ensure_good(limited)
    good = limited.public.get(HIT).content
    began = time.monotonic()
    answers, hits = while_hitting(
        limited, lambda: flood(100, lambda n: f"/images/good.jpg/@w={100 + n}.jpg", limited.public)
    )
    statuses = Counter(answer.status_code for answer in answers)
    assert set(statuses) == {200, 429}
    assert 10 <= statuses[200] <= 21 + time.monotonic() - began
    for answer in answers:
        if answer.status_code == 429:
            assert answer.headers["Content-Type"] == "application/problem+json"
            assert answer.json()["status"] == 429
            assert int(answer.headers["Retry-After"]) >= 1
    assert {answer.content for answer in hits} == {good}
    assert limited.api.get("/images/good.jpg/@w=333.jpg").status_code == 200
    again = flood(60, lambda n: HIT, limited.public)
    assert {answer.status_code for answer in again} == {200}


def test_a_flood_of_broken_signatures_reaches_no_engine(signed: Gateway) -> None:
    ensure_good(signed)
    before = size_of(signed)
    answers = flood(1200, lambda n: f"/images/good.jpg/@w={1 + n % 4000}.webp?sig=a.{n:043d}", signed.public)
    assert {answer.status_code for answer in answers} == {403}
    assert flood(40, lambda n: f"/images/good.jpg/@w={1 + n}.webp?sig=", signed.public)[0].status_code in (401, 403)
    assert size_of(signed) == before
    assert "sig=" not in signed.log
    assert len(signed.log) < 10_000


def size_of(gateway: Gateway) -> dict[str, int]:
    """Files and bytes below the caches and the store, but for the record in which the time is noted every minute."""
    everything = [path for path in (gateway.root / "var").rglob("*") if path.is_file() and path.name != RECORD]
    files = [path for path in everything if not path.is_relative_to(_run(gateway))]
    return {"files": len(files), "bytes": sum(path.stat().st_size for path in files)}


def _run(gateway: Gateway) -> Path:
    return gateway.root / "var/run"
