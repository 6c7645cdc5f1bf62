"""LocalCopies of originals on disk: found by one look, counted as they come and go, and nothing lies there for ever."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest

from service.cache import walk
from service.cache.janitor import Janitor
from service.cache.usage import Budget, Usage, taken
from service.originals.local_copies import LocalCopies
from service.store.base import StoredObject


@pytest.fixture
def copies(tmp_path: Path) -> LocalCopies:
    (tmp_path / "work").mkdir()
    return LocalCopies(tmp_path / "originals", Usage())


@pytest.fixture
def executor() -> Iterator[ThreadPoolExecutor]:
    made = walk.background()
    yield made
    made.shutdown()


def original(name: str, etag: str = "1", size: int = 5000) -> StoredObject:
    return StoredObject(name, size, etag, 0.0)


def take_in(copies: LocalCopies, stored: StoredObject) -> Path:
    arriving = copies.root.parent / "work/arriving"
    arriving.write_bytes(bytes(stored.bytes))
    return copies.take_in(stored, arriving, spare=False)


def there(root: Path) -> Usage:
    """What a tree takes by the system's own word; the root itself is not counted."""
    found = list(root.rglob("*"))
    return Usage(sum(taken(one.stat().st_size if one.is_file() else 1) for one in found), len(found))


def test_whether_there_is_a_copy_of_a_name_is_found_out_without_a_look_at_those_of_others(
    copies: LocalCopies, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(600):  # more than there are folders at the top
        take_in(copies, original(f"{number}.jpg", size=1))
    listed: list[object] = []

    def note(*what: object) -> Iterator[object]:
        listed.append(what)
        return iter(())

    for way in ("scandir", "listdir"):
        monkeypatch.setattr(os, way, note)
    assert all(copies.any_of(f"{number}.jpg") for number in range(600))
    assert not any(copies.any_of(f"new/{number}.jpg") for number in range(600))
    assert not listed


def test_there_is_a_copy_of_a_name_until_its_last_version_goes(copies: LocalCopies) -> None:
    old, new = (take_in(copies, original("a.jpg", etag)) for etag in ("1", "2"))
    copies.remove(old)
    assert copies.any_of("a.jpg")
    copies.remove(new)
    assert not copies.any_of("a.jpg")


def test_where_the_disk_does_not_tell_there_may_be_a_copy(copies: LocalCopies) -> None:
    copies.root.write_bytes(b"no folder")
    assert copies.any_of("a.jpg")


def test_usage_is_what_the_disk_holds(copies: LocalCopies) -> None:
    usage = copies._usage
    paths = [take_in(copies, original(f"{n % 40}.jpg", str(n), 1000 * n)) for n in range(100)]
    take_in(copies, original("1.jpg", "1", 1000))  # fetched again
    assert usage == there(copies.root)
    for path in paths[::2]:
        assert copies.remove(path) == 1
    assert copies.remove(paths[0]) == 0
    assert usage == there(copies.root)
    assert copies.evict(paths) == 50
    assert usage == there(copies.root) == Usage(0, 0)


async def test_what_a_crash_or_an_earlier_layout_left_is_evicted(
    copies: LocalCopies, executor: ThreadPoolExecutor
) -> None:
    take_in(copies, original("a.jpg"))
    take_in(copies, original("crashed.jpg")).unlink()
    earlier = copies.root / "ab" / f"{'ab' * 16}-{'cd' * 16}"
    earlier.parent.mkdir(exist_ok=True)
    earlier.write_bytes(bytes(9000))
    tree = SimpleNamespace(root=copies.root, usage=copies._usage, evict=copies.evict, settled=copies.settled)
    janitor = Janitor(tree, Budget(0, 0), executor)
    await janitor.count()
    assert tree.usage == there(copies.root)
    await janitor.tidy()
    assert list(copies.root.iterdir()) == []
    assert tree.usage == Usage(0, 0)
