"""Three nodes whose clocks are a minute apart, on a Swift that lags: nothing wrong is shown, and nothing old stays."""

from __future__ import annotations

import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime

import pytest

from tests.nodes.cluster import NODES
from tests.nodes.lagging import CLOCKS, Lagging, lagging_cluster
from tests.waiting import until

pytestmark = pytest.mark.slow

PICTURES = range(4)
TURNS = 13  # replacements, of each picture an odd number and then some: A, B, A, B ...
EVERY = 0.35  # seconds between two of them
CACHE = {"revalidate": "1h", "journal": "500ms", "journal_lag": "10s", "journal_digest": "always"}
LATE = 4.0  # seconds after which the row of an entry shows, of every other picture
STALE = 3.0  # seconds for which objects are answered as they were, unless X-Newest is asked for


@pytest.fixture(scope="module")
def lagging(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lagging]:
    with lagging_cluster(tmp_path_factory.mktemp("lagging"), CACHE, PICTURES) as running:
        running.proxy.stale = STALE
        running.proxy.rows = lambda path: LATE if "-journal/" in path and path.endswith(("0.png", "2.png")) else 0.0
        yield running


def test_nothing_wrong_is_shown_and_nothing_old_stays(lagging: Lagging) -> None:
    """Pictures are replaced by way of all nodes in turn, by another and by what was there before."""
    for number, seconds in CLOCKS.items():
        shown = lagging.cluster.nodes[number].api.get("/health/live").headers["Date"]
        assert abs(parsedate_to_datetime(shown).timestamp() - time.time() - int(seconds)) < 30
    began = time.time()
    with lagging.asked(PICTURES):
        for turn in range(TURNS):
            lagging.change(turn % len(PICTURES), turn % len(NODES))
            time.sleep(EVERY)
    until(lambda: not lagging.outdated())
    for _ in range(10):
        assert lagging.outdated() == []
    times = [entry.time for entry in lagging.entries() if entry.kind == "put"]
    assert len(times) >= TURNS + len(PICTURES)
    assert all(began - 200 < written < time.time() + 20 for written in times)
    assert max(times) - min(times) < time.time() - began + 30
