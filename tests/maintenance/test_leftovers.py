"""The walk through the derived container finds what is of former originals, in shares, at its pace, and goes on."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from itertools import chain
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.maintenance.leftovers import PAGE
from service.maintenance.pace import LIST, ROW, Pace
from service.maintenance.share import Share, just_before
from service.store.directory.settings import DirectorySettings
from service.store.directory.store import DirectoryStore
from service.store.errors import Unavailable
from service.store.swift.store import SwiftStore
from tests.counts import examples
from tests.maintenance.walks import Containers, Names, Noted, Rests, walk_of
from tests.swift.server import SwiftServer
from tests.swift.stores import make_originals, put, settings_for

NOW = 1_700_000_000.0


def leaf(image: str) -> str:
    return f"{image}/@w=1.jpg"


def numbered(count: int, later: float = 1.0) -> Containers:
    """Images, and of each a derived one that was stored so many seconds after it."""
    images = [f"photos/{number:07d}.jpg" for number in range(count)]
    return Containers(Names.of(images), Names.of(map(leaf, images), 1000 + later, **{"original-etag": "e"}))


async def parts_of(names: Names, count: int) -> list[list[str]]:
    """The names in each of so many shares."""
    found = []
    for number in range(count):
        begin, end = await Share(number, count).places(names, Pace(1, Rests()))  # type: ignore[arg-type]
        found.append([name for name in names.objects if begin <= name and (end is None or name < end)])
    return found


@settings(max_examples=examples(60))
@given(st.sets(st.text("ab-/.é\U0001f600", min_size=1, max_size=6), max_size=40), st.integers(1, 7))
def test_shares_are_all_names_and_each_is_in_one(names: set[str], count: int) -> None:
    container = Names.of(names)
    parts = asyncio.run(parts_of(container, count))
    assert list(chain.from_iterable(parts)) == list(container.objects)


@pytest.mark.parametrize("form", ["photos/2024/IMG_{:06d}.jpg/@w=1.jpg", "{:x}/a.jpg/@w=1.jpg"])
async def test_shares_are_about_as_large_and_found_by_few_questions(form: str) -> None:
    names = Names.of(form.format(number * 40_503 % 1_000_003) for number in range(5_000))
    parts = await parts_of(names, 9)
    assert max(map(len, parts)) < 2.2 * 5_000 / 9
    assert names.listed < 18 * 100


async def test_the_listings_are_compared_in_their_own_orders(tmp_path: Path) -> None:
    """`a` comes before `a.jpg`, but `a.jpg/@w=1.jpg` before `a/@w=1.jpg`."""
    store = DirectoryStore(DirectorySettings(tmp_path / "originals", tmp_path / "derived"))
    await store.start()
    images_here = ["a!", "a", "a.jpg", "a-b", "b/c", "b-", "é", "é.jpg", "z/a/b", "z/a.b"]
    for image in [*images_here, "a0", "b/d", "z"]:
        await put(store.derived, tmp_path, leaf(image))
        if image in images_here and image != "a":
            await put(store.originals, tmp_path, image)
            os.utime(tmp_path / "originals" / image, (1, 1))
    noted = Noted()
    await walk_of(store, noted, tmp_path / "walk.json").walk()
    await store.close()
    assert set(noted.images) == {"a", "a0", "b/d", "z"}


@pytest.mark.slow
async def test_three_nodes_walk_a_third_each_of_a_container_in_swift(swift: SwiftServer, tmp_path: Path) -> None:
    options = settings_for(swift.url)
    make_originals(swift.url, options)
    store, images = SwiftStore(options), [f"photos/{letter}é.jpg" for letter in "abcdefghi"]
    await store.start()
    for image in images:
        await put(store.derived, tmp_path, leaf(image))
    parts = []
    for share in ("1/3", "2/3", "3/3"):
        noted = Noted()
        await walk_of(store, noted, tmp_path / f"{share[0]}.json", share).walk()
        parts.append(noted.images)
    await store.close()
    assert parts == [images[:3], images[3:6], images[6:]]


@pytest.mark.parametrize("name", ["photos/b", "photos/猫", "photos/\U0001f600", "photos/\ue000", "a!"])
def test_a_marker_is_before_its_name_and_most_often_right_before_it(name: str) -> None:
    marker = just_before(name)
    assert marker.encode() < name.encode()
    if name[-1] not in "\ue000!":
        assert marker.encode() > f"{name[:-1]}a".encode() or name[-1] == "b"


async def test_what_lies_between_the_sought_originals_is_jumped_over(tmp_path: Path) -> None:
    containers = numbered(50_000)
    few = (f"photos/{number:07d}.jpg/@w=1.jpg" for number in (7, 49_990))
    containers.derived.objects = {name: containers.derived.objects[name] for name in few}
    noted = Noted()
    await walk_of(containers, noted, tmp_path / "walk.json").walk()
    assert noted.images == []
    assert containers.originals.listed < 6


async def test_it_uses_two_per_cent_of_a_core_of_swift_for_all_nodes_together(tmp_path: Path) -> None:
    for share, count in (("1/1", 1), ("2/4", 4)):
        rests = Rests()
        await walk_of(numbered(30_000, 7200.0), Noted(), tmp_path / f"{count}.json", share, rests, lambda: NOW).walk()
        rows = 2 * 30_000 / count  # of both listings
        least = rows * ROW * count / 0.02
        assert least <= sum(rests.all) < 3 * least + 100 * LIST * count / 0.02


async def test_a_walk_that_was_broken_off_goes_on_where_it_was(tmp_path: Path) -> None:
    containers, record = numbered(4 * PAGE), tmp_path / "walk.json"
    containers.originals = Names()
    containers.derived.left = 3
    noted = Noted()
    with pytest.raises(Unavailable):
        await walk_of(containers, noted, record, now=lambda: NOW).walk()
    assert len(noted.images) == 3 * PAGE
    containers.derived.left = 100
    following = walk_of(containers, noted, record, now=lambda: NOW + 60)
    assert following.progress.part == 3 / 4
    assert following.age is None
    assert await following.walk() == 4 * PAGE
    assert len(noted.images) == 4 * PAGE
    assert walk_of(containers, noted, record, now=lambda: NOW + 90).age == 30
    assert walk_of(containers, noted, record, "1/2").progress.place == ""  # another share begins anew


async def test_an_object_of_another_original_is_found_by_one_question_in_its_life(tmp_path: Path) -> None:
    containers, record = numbered(3), tmp_path / "walk.json"
    other = list(containers.derived.objects)[1]
    containers.derived.objects[other] = replace(containers.derived.objects[other], metadata={"original-etag": "f"})
    noted = Noted()
    await walk_of(containers, noted, record, now=lambda: NOW).walk()
    assert noted.images == [other.rpartition("/")[0]]
    assert containers.derived.asked == list(containers.derived.objects)
    await walk_of(containers, noted, record, now=lambda: NOW + 10).walk()
    assert len(containers.derived.asked) == 3


async def test_it_tells_which_part_of_the_originals_is_jpeg_while_the_next_walk_goes_on(tmp_path: Path) -> None:
    both = numbered(3)
    for image, kind in zip(list(both.originals.objects), ("image/jpeg", "image/png", "image/jpeg"), strict=True):
        both.originals.objects[image] = replace(both.originals.objects[image], content_type=kind)
    walk = walk_of(both, Noted(), tmp_path / "walk.json")
    await walk.walk()
    assert walk.progress.jpeg_part == pytest.approx(2 / 3)
    both.originals.left = 0
    with pytest.raises(Unavailable):
        await walk.walk()
    assert walk.progress.jpeg_part == pytest.approx(2 / 3)
