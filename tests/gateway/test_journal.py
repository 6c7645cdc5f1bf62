"""Names of the journal's entries, and the store's clock as a node learns it."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from gateway.journal import (
    LONGEST,
    RANDOM,
    Entry,
    Kind,
    common_prefix,
    entry_name,
    group_size,
    names_alone,
    object_name,
    parse_entries,
    time_text,
)
from gateway.store_clock import StoreClock

names = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=60)
TWO = "1700000000.000000/a-b/put/e/1/cat.jpg/delete/-/0/dog.jpg"
times = st.integers(0, 9_999_999_000_000_000).map(lambda millionths: millionths / 1e6)


@given(names, times, st.sampled_from(["put", "delete", "purge", "purge-prefix"]))
def test_an_entry_is_read_as_it_was_written_and_its_name_is_that_of_an_object(
    name: str, time: float, kind: str
) -> None:
    entry = Entry(kind, name, "5d41-é/ ", 1700000000, round(time, 6), "0af1")  # type: ignore[arg-type]
    written = entry_name(entry, "77")
    (read,) = parse_entries(written)
    assert (read.kind, read.etag, read.modified, read.node) == (kind, "5d41-é/ ", 1700000000, "0af1")
    assert read.name == name or (read.name is None and name in ("", ".", ".."))
    assert not {"", ".", ".."} & set(written.split("/"))


def test_a_name_that_does_not_fit_is_in_the_object() -> None:
    for letters, fits in ((900, True), (1024, False)):
        written = entry_name(Entry("put", "x" * letters, "e" * 32, 1, 1.7e9, "a"), "b")
        assert len(written) <= 1024
        (read,) = parse_entries(written)
        assert (read.name is not None) == fits


@st.composite
def changes(draw: st.DrawFn) -> Entry:
    """A change of a node or, seldom, of unknown outcome. Some names have no room, or none beside others."""
    name = draw(names | st.integers(0, 1100).map(lambda letters: "y" * letters))
    kind: Kind = draw(st.sampled_from(get_args(Kind)))
    node = draw(st.sampled_from(["0af1", "0af1", "0af1", "0"]))
    return Entry(kind, name, draw(st.sampled_from(["-", "5d41é/ "])), draw(st.integers(0, 2**32)), 1.7e9, node)


@given(st.lists(changes(), min_size=1, max_size=40))
def test_objects_bear_all_entries_in_their_order_and_their_names_are_not_too_long(some: list[Entry]) -> None:
    read, left = list[Entry](), some
    while left:
        size = group_size(left)
        group, left = left[:size], left[size:]
        name = object_name(group, "7" * RANDOM)
        assert len(name) <= LONGEST
        assert not {"", ".", ".."} & set(name.split("/"))
        entries = parse_entries(name)
        assert len(entries) == size
        assert size == 1 or None not in {entry.name for entry in entries}
        read += entries
    assert [replace(entry, name=None) for entry in read] == [replace(entry, name=None) for entry in some]
    assert all(one.name in (None, other.name) for one, other in zip(read, some, strict=True))


@given(st.lists(changes(), min_size=1, max_size=40))
def test_an_object_bears_as_many_entries_as_have_room_in_its_name(some: list[Entry]) -> None:
    size = group_size(some)
    if size < len(some):
        one_more = object_name(some[: size + 1], "7" * RANDOM)
        together = parse_entries(one_more) if len(one_more) <= LONGEST else ()
        assert together != tuple(some[: size + 1])


@given(st.lists(changes(), min_size=1, max_size=40))
def test_each_entry_of_an_object_has_the_name_that_it_would_have_alone(some: list[Entry]) -> None:
    name = object_name(some[: group_size(some)], "7" * RANDOM)
    alone = names_alone(name)
    assert [parse_entries(one) for one in alone] == [(entry,) for entry in parse_entries(name)]
    assert len(alone) > 1 or alone == (name,)


def test_a_name_of_several_entries_is_that_of_one_with_the_others_behind() -> None:
    some = [Entry("put", "cat.jpg", "e", 1, 1.7e9, "a"), Entry("delete", "dog.jpg", time=1.7e9, node="a")]
    assert object_name(some, "b") == TWO
    assert parse_entries(TWO) == tuple(some)


@given(st.lists(times, min_size=2))
def test_the_order_of_the_names_is_the_order_of_time(some: list[float]) -> None:
    written = [entry_name(Entry("put", "z" if place % 2 else "a", "-", 0, time, "f"), "1")
               for place, time in enumerate(some)]  # fmt: skip
    assert [name[:17] for name in sorted(written)] == [time_text(time) for time in sorted(some)]
    first, last = min(some), max(some)
    assert all(name.startswith(common_prefix(first, last)) for name in written)


def test_what_others_put_beside_the_journal_is_no_entry() -> None:
    for name in ("outbox/1", "cat.jpg", "1700000000.000000/a-b/paint/e/1/cat.jpg", "1700000000.0/a-b/put/e/1/cat.jpg",
                 f"{TWO}/put", f"{TWO}/put/e/1", f"{TWO}/paint/e/1/cat.jpg", f"{TWO}/put/e/1/@"):  # fmt: skip
        assert parse_entries(name) == ()


def test_the_clock_of_the_store_is_learned_to_a_tenth_of_a_second_from_whole_seconds() -> None:
    chance, clock, ahead = random.Random(5), StoreClock(), 1_700_000_000.37
    assert clock.now(0.0) is None
    monotonic = 100.0
    for _ in range(60):
        monotonic += 2.0 + chance.random()
        sent = monotonic
        monotonic += 0.02 + 0.05 * chance.random()
        clock.hear(float(int(sent + 0.01 + ahead)), sent, monotonic)
    now = clock.now(monotonic)
    assert now
    assert abs(now - (monotonic + ahead)) < 0.1


def test_a_clock_that_was_set_counts_from_then_on() -> None:
    clock = StoreClock()
    clock.hear(1000.0, 10.0, 10.1)
    clock.hear(5000.0, 12.0, 12.1)
    now = clock.now(12.1)
    assert now
    assert abs(now - 5000.5) <= 0.7
