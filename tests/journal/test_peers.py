"""How many other nodes there are, by the entries that a node has seen."""

from __future__ import annotations

import pytest

from gateway.journal import ANY_NODE, Entry, entry_name, object_name
from service.journal.peers import MANY, WHILE, Peers

NOW = 1_700_000_000.0
OTHERS = [f"{number:x}" for number in range(0xA0, 0xA0 + MANY)]


def heard(entries: dict[str, float]) -> Peers:
    """What node `b` knows after entries of these nodes, by their times."""
    peers = Peers("b")
    for node, time in entries.items():
        peers.heard_of(entry_name(Entry("put", "a.png", "etag", 0, time, node), "1"))
    return peers


@pytest.mark.parametrize(
    ("entries", "many"),
    [
        (dict.fromkeys(OTHERS, NOW), True),
        (dict.fromkeys(OTHERS[1:], NOW), False),
        (dict.fromkeys([*OTHERS[1:], "b", ANY_NODE], NOW), False),
        (dict.fromkeys(OTHERS, NOW - WHILE - 1), False),
        ({"c": NOW, **dict.fromkeys(OTHERS, NOW - WHILE - 1)}, False),
        ({**dict.fromkeys(OTHERS[1:], NOW), "c": NOW - WHILE - 1}, False),
    ],
    ids=[
        "enough",
        "one too few",
        "its own and those of all",
        "old ones",
        "old ones behind a new one",
        "one of them old",
    ],
)
def test_so_many_others_have_written_lately(entries: dict[str, float], many: bool) -> None:
    assert heard(entries).are_many(NOW) is many


def test_an_object_of_several_entries_is_of_one_node() -> None:
    peers = heard(dict.fromkeys(OTHERS[1:], NOW))
    peers.heard_of(object_name([Entry("put", name, "etag", 0, NOW, OTHERS[0]) for name in ("a.png", "b.png")], "1"))
    assert peers.are_many(NOW)


def test_an_older_entry_that_shows_late_makes_no_node_older() -> None:
    peers = heard(dict.fromkeys(OTHERS, NOW))
    peers.heard_of(entry_name(Entry("put", "a.png", "etag", 0, NOW - WHILE - 1, OTHERS[0]), "1"))
    assert peers.are_many(NOW)


def test_what_is_no_entry_is_of_no_node() -> None:
    peers = heard(dict.fromkeys(OTHERS[1:], NOW))
    peers.heard_of("digest")
    assert not peers.are_many(NOW)
