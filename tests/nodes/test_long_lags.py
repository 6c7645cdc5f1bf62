"""Three nodes on a Swift that lags as long as it may: half a minute. `make test-long` runs this; it takes minutes."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from gateway.journal import ANY_NODE
from tests.counts import TIMES
from tests.nodes.cluster import NODES
from tests.nodes.lagging import Lagging, lagging_cluster
from tests.nodes.pictures import Picture
from tests.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.skipif(TIMES == 1, reason="takes minutes: make test-long")]

PICTURES = range(6)
LATE, SLOW, LOST, BEHIND, KILLED, _ = PICTURES  # what happens to the entries of each, below
TURNS = 42  # replacements, an odd number of each picture: A, B, A, B ...
EVERY = 0.35  # seconds between two replacements
ROWS = 30.0  # seconds after which the row of an entry shows
PUT = 7.0  # seconds that the PUT of an entry takes: more than a tenth of `cache.journal_lag`
STALE = 10.0  # seconds for which objects are answered as they were, unless X-Newest is asked for
JOURNAL = {"journal": "1s", "journal_lag": "1m", "journal_digest": "always"}


def entry_of(number: int, path: str) -> bool:
    return "-journal/" in path and path.endswith(f"{number}.png")


@pytest.fixture
def lagging(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lagging]:
    """Its parameter is `cache.revalidate`."""
    cache = {**JOURNAL, "revalidate": request.param, "revalidate_max": request.param}
    with lagging_cluster(tmp_path_factory.mktemp("lags"), cache, PICTURES) as running:
        running.proxy.stale = STALE
        yield running


@pytest.mark.parametrize("lagging", ["1h"], indirect=True)
def test_the_journal_alone_brings_all_changes_however_their_entries_lag(lagging: Lagging) -> None:
    proxy, lost = lagging.proxy, set[str]()

    def loses(path: str) -> bool:
        """The answer to the first try."""
        is_first = path not in lost
        lost.add(path)
        return is_first and entry_of(LOST, path)

    proxy.rows = lambda path: ROWS if entry_of(LATE, path) else 0.0
    proxy.slow = lambda path: PUT if entry_of(SLOW, path) else 0.0
    proxy.loses = loses
    with lagging.asked(PICTURES):
        for turn in range(TURNS):
            lagging.change(turn % len(PICTURES), turn % len(NODES))
            time.sleep(EVERY)
    until(lambda: not lagging.outdated())  # within two minutes
    for _ in range(10):
        assert lagging.outdated() == []


@pytest.mark.parametrize("lagging", ["1h"], indirect=True)
def test_a_node_that_is_killed_between_object_and_entry_writes_it_when_it_is_back(lagging: Lagging) -> None:
    until(lambda: not lagging.outdated())
    lagging.proxy.refuses = lambda path: entry_of(KILLED, path)
    lagging.change(KILLED, node=0)
    lagging.cluster.kill(0)
    lagging.proxy.refuses = lambda path: False
    assert lagging.outdated()  # nothing has told the others
    lagging.cluster.start(0)
    until(lambda: not lagging.outdated())
    assert ANY_NODE in {entry.node for entry in lagging.entries() if entry.name == Picture(KILLED).name}


@pytest.mark.parametrize("lagging", ["5s"], indirect=True)
def test_what_another_program_replaces_is_seen_while_it_is_used_though_listings_lag(lagging: Lagging) -> None:
    lagging.proxy.rows = lambda path: ROWS
    with lagging.asked(PICTURES):
        for _ in range(TURNS // len(PICTURES)):
            lagging.change_behind_the_back(BEHIND)
            lagging.change(LATE, node=1)
            time.sleep(EVERY)
    until(lambda: not lagging.outdated())
    for _ in range(10):
        assert lagging.outdated() == []
