"""The contract that every store fulfils."""

import asyncio
import hashlib
import random
import time
from pathlib import Path

import pytest

from service.store.base import NewObject, Page, Precondition, Store
from service.store.errors import Corrupt, Exists, NotFound, PreconditionFailed
from tests.swift.stores import FREE, content, named, put

NAMES = [
    "a.jpg",
    "ein Bild.jpg",
    "q?x=1&y=2#z.jpg",
    "50%.jpg",
    "%41.jpg",
    "a+b;c,d=e.jpg",
    "'\"<>|*\\:.jpg",
    "Köln/東京/🙂.jpg",
    "nfd-e\u0301.jpg",
    ".hidden",
    "-",
    "deep/" * 40 + "x",
    "...",
    "~/x",
    "x" * 255,
]


def md5(data: bytes) -> str:
    return hashlib.md5(data).hexdigest()


@pytest.mark.parametrize("name", NAMES)
async def test_an_object_of_any_name_comes_back_as_it_was_put(store: Store, tmp_path: Path, name: str) -> None:
    data = random.randbytes(70_000)
    stored = await put(store.originals, tmp_path, name, data)
    assert await content(store.originals, tmp_path, name) == data
    assert await store.originals.stat(name) == stored
    assert (stored.name, stored.bytes) == (name, len(data))
    assert [found.name for found in (await store.originals.list()).objects] == [name]
    await store.originals.delete(name)
    with pytest.raises(NotFound):
        await store.originals.stat(name)


async def test_an_empty_object_and_one_of_several_megabytes_come_back(store: Store, tmp_path: Path) -> None:
    for data in (b"", random.randbytes(5_000_000)):
        await put(store.originals, tmp_path, "x", data)
        assert await content(store.originals, tmp_path, "x") == data


async def test_fetch_overwrites_its_target_and_tells_what_it_fetched(store: Store, tmp_path: Path) -> None:
    stored = await put(store.originals, tmp_path, "a", b"new")
    target = tmp_path / "target"
    target.write_bytes(b"something that was longer")
    assert await store.originals.fetch("a", target) == stored
    assert target.read_bytes() == b"new"


async def test_what_is_not_there_is_not_found_and_leaves_no_target(store: Store, tmp_path: Path) -> None:
    target = tmp_path / "target"
    for name in ("a", "a/b", "a/b/c", "x" * 300):
        with pytest.raises(NotFound):
            await store.originals.stat(name)
        with pytest.raises(NotFound):
            await store.originals.delete(name)
        target.write_bytes(b"old")
        with pytest.raises(NotFound):
            await store.originals.fetch(name, target)
        assert not target.exists() or target.read_bytes() == b"old"


@pytest.mark.parametrize("name", ["../outside", "a/../../outside", "..", ".", "a/./b", "/a", "a//b", "a/"])
async def test_no_name_reaches_out_of_the_container(store: Store, tmp_path: Path, name: str) -> None:
    await put(store.originals, tmp_path, "outside")
    derived = store.derived
    for call in (derived.stat(name), derived.fetch(name, tmp_path / "target"), derived.delete(name)):
        with pytest.raises(NotFound):
            await call
    assert not (tmp_path / "target").exists()
    assert await store.originals.stat("outside")


async def test_bytes_that_are_not_what_was_announced_are_not_stored(store: Store, tmp_path: Path) -> None:
    with pytest.raises(Corrupt):
        await put(store.originals, tmp_path, "a/b", b"other", md5=md5(b"announced"))
    assert await store.originals.list() == Page([], [], None)
    before = await put(store.originals, tmp_path, "a/b", b"first")
    with pytest.raises(Corrupt):
        await put(store.originals, tmp_path, "a/b", b"other", md5=md5(b"announced"))
    assert await store.originals.stat("a/b") == before


async def test_the_etag_changes_whenever_the_content_is_replaced(store: Store, tmp_path: Path) -> None:
    etags = set()
    for data in (b"one", b"two", b"six"):
        etags.add((await put(store.originals, tmp_path, "a", data)).etag)
    assert len(etags) == 3
    assert '"' not in "".join(etags)


async def test_content_type_and_metadata_are_kept(store: Store, tmp_path: Path) -> None:
    metadata = {"recipe": "w=1,50%25 %41=ü", "Engine": " 6.9;\tq16 ", "long": "x,=" * 300}
    await put(store.derived, tmp_path, "a.jpg/@w=1.webp", content_type="image/webp", metadata=metadata)
    found = await store.derived.stat("a.jpg/@w=1.webp")
    assert found.content_type == "image/webp"
    assert found.metadata == {"recipe": "w=1,50%25 %41=ü", "engine": " 6.9;\tq16 ", "long": "x,=" * 300}
    assert (await store.derived.fetch("a.jpg/@w=1.webp", tmp_path / "target")).metadata == found.metadata


async def test_replacing_leaves_nothing_of_the_former_metadata(store: Store, tmp_path: Path) -> None:
    await put(store.derived, tmp_path, "a", metadata={"one": "1", "two": "2" * 600})
    await put(store.derived, tmp_path, "a", metadata={"two": "3"})
    assert (await store.derived.stat("a")).metadata == {"two": "3"}


async def test_a_taken_name_is_replaced_only_if_that_was_asked_for(store: Store, tmp_path: Path) -> None:
    first = await put(store.originals, tmp_path, "a", b"first", precondition=FREE)
    with pytest.raises(Exists):
        await put(store.originals, tmp_path, "a", b"second", precondition=FREE)
    assert await store.originals.stat("a") == first
    await put(store.originals, tmp_path, "a", b"third", precondition=Precondition(replace=True))
    assert await content(store.originals, tmp_path, "a") == b"third"


async def test_if_match_lets_only_the_named_object_be_replaced_or_deleted(store: Store, tmp_path: Path) -> None:
    with pytest.raises(PreconditionFailed):
        await put(store.originals, tmp_path, "a", precondition=named("0123"))
    first = await put(store.originals, tmp_path, "a", b"first")
    second = await put(store.originals, tmp_path, "a", b"second", precondition=named(first.etag))
    with pytest.raises(PreconditionFailed):
        await put(store.originals, tmp_path, "a", b"third", precondition=named(first.etag))
    with pytest.raises(PreconditionFailed):
        await store.originals.delete("a", named(first.etag))
    assert await content(store.originals, tmp_path, "a") == b"second"
    await store.originals.delete("a", named(second.etag))
    with pytest.raises(NotFound):
        await store.originals.delete("a", named(second.etag))


async def test_originals_and_derived_images_are_two_containers(store: Store, tmp_path: Path) -> None:
    await put(store.originals, tmp_path, "a", b"original")
    await put(store.derived, tmp_path, "a/@w=1.jpg", b"derived")
    assert [found.name for found in (await store.originals.list()).objects] == ["a"]
    assert [found.name for found in (await store.derived.list()).objects] == ["a/@w=1.jpg"]
    await store.originals.delete("a")
    assert await content(store.derived, tmp_path, "a/@w=1.jpg") == b"derived"


async def test_many_writers_of_one_name_leave_one_of_their_objects_whole(store: Store, tmp_path: Path) -> None:
    contents = [bytes([number]) * 200_000 for number in range(6)]
    stored = await asyncio.gather(*(put(store.originals, tmp_path, "a", data) for data in contents))
    last = await store.originals.stat("a")
    data = await content(store.originals, tmp_path, "a")
    assert data in contents
    assert last in stored


async def test_readers_see_the_old_object_or_the_new_one_while_it_is_replaced(store: Store, tmp_path: Path) -> None:
    versions = [bytes([number]) * 300_000 for number in range(4)]
    await put(store.originals, tmp_path, "a", versions[0])

    async def read() -> None:
        for number in range(4):
            target = tmp_path / f"{id(asyncio.current_task())}-{number}"
            found = await store.originals.fetch("a", target)
            assert target.read_bytes() in versions
            assert target.stat().st_size == found.bytes

    async def write() -> None:
        for data in versions[1:]:
            await put(store.originals, tmp_path, "a", data)

    await asyncio.gather(write(), *(read() for _ in range(3)))


async def test_a_cancelled_fetch_leaves_no_target(store: Store, tmp_path: Path) -> None:
    await put(store.originals, tmp_path, "a", random.randbytes(3_000_000))
    for number in range(10):
        target = tmp_path / f"cancelled-{number}"
        task = asyncio.create_task(store.originals.fetch("a", target))
        await asyncio.sleep(number * 0.001)
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            assert not target.exists()
        else:
            assert target.stat().st_size == 3_000_000
    await asyncio.sleep(0.2)
    assert not [path for path in tmp_path.glob("cancelled-*") if path.stat().st_size != 3_000_000]


async def test_a_cancelled_put_stores_the_whole_object_or_nothing(store: Store, tmp_path: Path) -> None:
    data = random.randbytes(2_000_000)
    for number in range(6):
        task = asyncio.create_task(put(store.originals, tmp_path, f"a/{number}", data))
        await asyncio.sleep(number * 0.003)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    await asyncio.sleep(0.3)
    for found in (await store.originals.list()).objects:
        assert await content(store.originals, tmp_path, found.name) == data


async def test_a_missing_source_is_the_callers_mistake_not_the_stores(store: Store, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        await store.originals.put(NewObject("a", tmp_path / "none", "image/jpeg", md5(b"")))


async def test_a_target_that_cannot_be_written_is_the_callers_trouble_too(store: Store, tmp_path: Path) -> None:
    await put(store.originals, tmp_path, "a")
    with pytest.raises(FileNotFoundError):
        await store.originals.fetch("a", tmp_path / "none" / "target")
    assert await content(store.originals, tmp_path, "a") == b"bytes"


async def test_the_event_loop_goes_on_while_the_store_works(store: Store, tmp_path: Path) -> None:
    longest = 0.0

    async def watch() -> None:
        nonlocal longest
        while True:
            before = time.thread_time()
            await asyncio.sleep(0.005)
            longest = max(longest, time.thread_time() - before)

    watcher = asyncio.create_task(watch())
    data = random.randbytes(8_000_000)
    await put(store.originals, tmp_path, "a", data)
    await store.originals.fetch("a", tmp_path / "target")
    watcher.cancel()
    assert longest < 0.5
