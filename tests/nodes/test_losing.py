"""A node is killed and another one cut off, under load: no wrong byte, and nothing fails but what they had in hand."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from tests.nodes.cluster import BALANCER, NODES, REVALIDATE, Cluster, running_cluster
from tests.nodes.load import Asked, Load
from tests.nodes.pictures import COUNT, KINDS, Picture, Truth, scaled
from tests.waiting import until

pytestmark = pytest.mark.slow

KILLED, CUT, LEFT = range(3)
REPLACED = range(0, COUNT, 3)
# Seconds after which a node that is back shows what was replaced meanwhile: one interval, a try that began before that
# (twice 1, and a pause), the 2 for which the store is then left alone, and as much for a busy machine.
LATEST = REVALIDATE + 12
STUCK = 5.0  # seconds: the balancer waits for a second for each of two lost nodes, and this machine may be busy


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with running_cluster(tmp_path_factory.mktemp("cluster")) as running:
        for number in range(COUNT):
            running.upload(number % len(NODES), Picture(number))
        yield running


@pytest.fixture(scope="module")
def truth() -> Truth:
    return Truth()


def test_nodes_may_be_killed_and_cut_off_and_come_back_under_load(cluster: Cluster, truth: Truth) -> None:
    check_all(cluster, truth)
    load = Load(cluster.network.hub, BALANCER, truth)
    with load.running():
        time.sleep(1)
        began = time.monotonic()
        await_work_in_flight(cluster, KILLED)
        killing = time.monotonic()
        cluster.kill(KILLED)
        killed = time.monotonic()
        time.sleep(1)

        await_work_in_flight(cluster, CUT)
        cutting = time.monotonic()
        cluster.network.cut(CUT)
        cut = time.monotonic()
        cluster.nodes[CUT].continue_service()
        until(lambda: load.longest_wait() < time.monotonic() - cut)
        replace(cluster, truth, LEFT)
        time.sleep(max(0, cut + 7 - time.monotonic()))  # in which the balancer has tried both again
        assert load.longest_wait() < STUCK

        restored = time.monotonic()
        with stale(truth):
            cluster.network.restore(CUT)
            await_fresh(cluster, CUT, restored)
        started = time.monotonic()
        with stale(truth):
            cluster.start(KILLED)
            await_fresh(cluster, KILLED, time.monotonic())
        until(lambda: load.answered_by(started) == set(NODES))
        time.sleep(1)
    check_all(cluster, truth)

    losses = [Loss(NODES[KILLED], killing, killed, started), Loss(NODES[CUT], cutting, cut, restored)]
    assert [one.flaw for one in load.asked if one.flaw] == []
    assert [one for one in load.asked if one.failure and not any(loss.excuses(one) for loss in losses)] == []
    assert all(loss.in_flight(load) for loss in losses)
    assert load.answered_by(0, began) == set(NODES)
    assert load.answered_by(cut, restored) == {NODES[LEFT]}
    assert {one.cache for one in load.asked if cut < one.began < restored} >= {"HIT-DISK", "MISS"}
    tell(load, losses)


@dataclass(frozen=True)
class Loss:
    """A node was about to be lost at `begin`, was not there from `gone` to `end`; monotonic."""

    node: str
    begin: float
    gone: float
    end: float

    def in_flight(self, load: Load) -> list[Asked]:
        """What was under way on the node when it was lost; it may have been sent to another lost one before."""
        return [one for one in load.asked if self.node in one.tried and one.began < self.begin < one.ended]

    def in_vain(self, load: Load) -> list[Asked]:
        """What the balancer sent to the node while it was not there."""
        return [one for one in load.asked if self.node in one.tried and self.gone < one.began < one.ended < self.end]

    def excuses(self, one: Asked) -> bool:
        return one.tried[-1:] == (self.node,) and one.began < self.gone


def tell(load: Load, losses: list[Loss]) -> None:
    """The numbers that docs/nodes.md gives; `pytest -s` shows them."""
    print(f"\n{len(load.asked)} requests, {sum(one.failure is not None for one in load.asked)} failed")
    for loss in losses:
        held, vain = loss.in_flight(load), loss.in_vain(load)
        late = max(one.ended - loss.begin for one in held)
        slow = max((one.ended - one.began for one in vain), default=0)
        print(f"{loss.node} lost: {len(held)} in flight, answered within {late:.1f} s;", end=" ")
        print(f"in {loss.end - loss.begin:.0f} s {len(vain)} more sent there, answered within {slow:.2f} s")


def await_work_in_flight(cluster: Cluster, number: int) -> None:
    """Have a node take requests and answer only what its nginx can answer alone; two clients then wait for the rest."""
    cluster.nodes[number].stop_service()

    def waited_for() -> bool:
        before = cluster.in_flight(number)
        time.sleep(0.5)
        return len(before & cluster.in_flight(number)) >= 2

    until(waited_for)


def replace(cluster: Cluster, truth: Truth, number: int) -> None:
    """Put other pictures in the place of some. The node that does it never shows the old ones again."""
    with stale(truth):
        for picture in REPLACED:
            cluster.upload(number, Picture(picture, version=1))


@contextmanager
def stale(truth: Truth) -> Iterator[None]:
    """Meanwhile a picture that was replaced may be shown as it was before."""
    truth.current |= dict.fromkeys(REPLACED, frozenset({0, 1}))
    yield
    truth.current |= dict.fromkeys(REPLACED, frozenset({1}))


def await_fresh(cluster: Cluster, number: int, since: float) -> None:
    """Wait for a node to show the pictures that are there now. Raises AssertionError when that takes too long."""
    now = Truth(dict.fromkeys(REPLACED, frozenset({1})))
    while flaws(cluster, now, number):
        assert time.monotonic() - since < LATEST, f"node {number} shows what is no more"
        time.sleep(0.1)


def check_all(cluster: Cluster, truth: Truth) -> None:
    """Every node shows every picture as it is, in the same bytes."""
    for number in cluster.nodes:
        assert flaws(cluster, truth, number) == []


def flaws(cluster: Cluster, truth: Truth, number: int) -> list[str]:
    """What a node shows wrongly of the pictures that are in `truth`."""
    found = []
    for wanted in (scaled(picture, kind) for picture in truth.current for kind in KINDS):
        answer = cluster.ask(number, wanted.path)
        if answer.status_code != 200:
            found.append(f"{wanted.path}: {answer.status_code}")
        elif flaw := truth.flaw(wanted, answer, truth.current[wanted.number]):
            found.append(flaw)
    return found
