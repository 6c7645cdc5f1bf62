"""What is particular to a store in directories: what lies there already, what cannot lie there, and crashes."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from service.store.base import NewObject
from service.store.directory import listing
from service.store.directory.settings import DirectorySettings
from service.store.directory.store import DirectoryStore
from service.store.errors import Corrupt, NoTemporaryUrls, NotFound, Unholdable
from tests import images
from tests.store.directories import names, started
from tests.swift.stores import content, put
from tests.waiting import PATIENCE


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "pictures"


@pytest.fixture
async def store(tmp_path: Path, root: Path) -> AsyncIterator[DirectoryStore]:
    async with started(root, tmp_path / "derived") as store:
        yield store


def tree(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*")} - {"@tmp"}


async def test_pictures_that_lie_there_are_a_store_and_stay_as_they_are(store: DirectoryStore, root: Path) -> None:
    (root / "holiday/2024").mkdir(parents=True)
    (root / "holiday/2024/beach.jpg").write_bytes(b"beach")
    (root / "cat.png").write_bytes(b"cat")
    before = {path: path.stat() for path in root.rglob("*")}
    assert await names(store) == ["cat.png", "holiday/2024/beach.jpg"]
    assert await content(store.originals, root.parent, "holiday/2024/beach.jpg") == b"beach"
    after = {path: path.stat() for path in root.rglob("*")}
    assert {path: (status.st_ino, status.st_mtime_ns) for path, status in before.items()} == {
        path: (status.st_ino, status.st_mtime_ns) for path, status in after.items()
    }


async def test_originals_are_plain_files_by_their_names(store: DirectoryStore, root: Path) -> None:
    await put(store.originals, root.parent, "a/ü ?#.jpg", b"data")
    assert (root / "a/ü ?#.jpg").read_bytes() == b"data"
    assert tree(root) == {"a", "a/ü ?#.jpg"}
    assert list((root / "@tmp").iterdir()) == []


async def test_a_file_that_somebody_else_changes_gets_another_etag(store: DirectoryStore, root: Path) -> None:
    before = await put(store.originals, root.parent, "a", b"one")
    (root / "a").write_bytes(b"two")
    assert (await store.originals.stat("a")).etag != before.etag


async def test_what_is_told_of_a_file_is_forgotten_when_somebody_else_writes_into_it(
    store: DirectoryStore, root: Path
) -> None:
    stored = await put(store.originals, root.parent, "a", b"one", content_type="image/jpeg", metadata={"sha256": "1"})
    assert stored == await store.originals.stat("a")
    inode = (root / "a").stat().st_ino
    with (root / "a").open("r+b") as file:
        file.write(b"two")
    found = await store.originals.stat("a")
    assert (root / "a").stat().st_ino == inode
    assert (found.content_type, found.metadata) == ("application/octet-stream", {})


async def test_a_file_from_before_1970_is_replaced_like_any_other(store: DirectoryStore, root: Path) -> None:
    (root / "a").write_bytes(b"same size")
    os.utime(root / "a", ns=(-(10**12) - 1, -(10**12) - 1))
    before = await store.originals.stat("a")
    after = await put(store.originals, root.parent, "a", b"same size")
    assert after.etag != before.etag
    assert after.modified > before.modified


async def test_a_replaced_file_gets_another_time_even_when_the_clock_stands(store: DirectoryStore, root: Path) -> None:
    etags = {(await put(store.originals, root.parent, "a", b"same size")).etag}
    future = (root / "a").stat().st_mtime_ns + 10**18
    os.utime(root / "a", ns=(future, future))
    for _ in range(3):
        etags.add((await put(store.originals, root.parent, "a", b"same size")).etag)
    assert len(etags) == 4


async def test_no_symbolic_link_is_followed(store: DirectoryStore, root: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_bytes(b"secret")
    (root / "link").symlink_to(outside / "secret")
    (root / "folder").symlink_to(outside)
    (root / "loop").symlink_to(root)
    assert await names(store) == []
    for name in ("link", "folder/secret", "loop/link"):
        with pytest.raises(NotFound):
            await store.originals.fetch(name, tmp_path / "target")
        with pytest.raises(NotFound):
            await store.originals.delete(name)
        with pytest.raises(Unholdable):
            await put(store.originals, tmp_path, name)
    with pytest.raises(Unholdable):
        await put(store.originals, tmp_path, "folder/new")
    assert {path.name for path in outside.iterdir()} == {"secret"}
    assert (outside / "secret").read_bytes() == b"secret"


async def test_what_is_no_file_is_not_there(store: DirectoryStore, root: Path) -> None:
    os.mkfifo(root / "fifo")
    (root / "folder").mkdir()
    for name in ("fifo", "folder"):
        with pytest.raises(NotFound):
            await asyncio.wait_for(store.originals.stat(name), PATIENCE)
    assert await names(store) == []


async def test_a_name_cannot_be_a_file_and_a_folder(store: DirectoryStore, root: Path) -> None:
    await put(store.originals, root.parent, "a", b"file")
    with pytest.raises(Unholdable, match="'a'"):
        await put(store.originals, root.parent, "a/b/c")
    await put(store.originals, root.parent, "d/e")
    with pytest.raises(Unholdable, match="'d'"):
        await put(store.originals, root.parent, "d")
    assert await names(store) == ["a", "d/e"]


async def test_a_segment_that_is_too_long_for_a_file_name_is_unholdable(store: DirectoryStore, root: Path) -> None:
    for name in ("x" * 256, "ü" * 128 + "/a"):
        with pytest.raises(Unholdable):
            await put(store.originals, root.parent, name)
    assert tree(root) == set()


async def test_reserved_and_hidden_segments_are_no_names(store: DirectoryStore, root: Path) -> None:
    (root / "@tmp").mkdir()
    (root / "@tmp/half").write_bytes(b"x")
    (root / "a/@eaDir").mkdir(parents=True)
    (root / "a/@eaDir/thumb.jpg").write_bytes(b"x")
    (root / os.fsdecode(b"latin-\xe4.jpg")).write_bytes(b"x")
    (root / "line\nfeed").write_bytes(b"x")
    assert await names(store) == []
    with pytest.raises(NotFound):
        await store.originals.stat("@tmp/half")
    with pytest.raises(Unholdable):
        await put(store.originals, root.parent, "@tmp/other")


async def test_folders_that_a_deletion_leaves_empty_are_removed(store: DirectoryStore, root: Path) -> None:
    await put(store.originals, root.parent, "a/b/c/d")
    await put(store.originals, root.parent, "a/x")
    await store.originals.delete("a/b/c/d")
    assert tree(root) == {"a", "a/x"}
    await store.originals.delete("a/x")
    assert tree(root) == set()
    assert root.is_dir()


async def test_empty_folders_are_not_in_the_way_of_a_file(store: DirectoryStore, root: Path) -> None:
    (root / "a/b/c").mkdir(parents=True)
    await put(store.originals, root.parent, "a", b"data")
    assert (root / "a").read_bytes() == b"data"


async def test_writers_and_deleters_of_one_folder_do_not_lose_it(store: DirectoryStore, root: Path) -> None:
    async def write(number: int) -> None:
        for _ in range(15):
            await put(store.originals, root.parent, f"a/b/{number}")
            await store.originals.delete(f"a/b/{number}")

    await asyncio.gather(*(write(number) for number in range(4)))
    assert tree(root) == set()


async def test_a_store_that_was_opened_without_a_key_has_no_temporary_urls(store: DirectoryStore, root: Path) -> None:
    await put(store.originals, root.parent, "a")
    with pytest.raises(NoTemporaryUrls):
        await store.originals.temporary_url("a", lifetime=60)


async def test_a_listing_checks_every_name_once_however_many_pages_it_takes(
    store: DirectoryStore, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / "f").mkdir()
    lying = [f"f/{number:04}.jpg" for number in range(1000)]
    for name in lying:
        (root / name).touch()
    checked: list[bytes] = []

    def check(name: bytes) -> bool:
        checked.append(name)
        return True

    monkeypatch.setattr(listing, "is_image_name", check)
    found: list[str] = []
    marker: str | None = ""
    while marker is not None:
        page = await store.originals.list(marker=marker, limit=20)
        found += [one.name for one in page.objects]
        marker = page.marker
    assert found == lying
    assert len(checked) < 1.1 * len(lying)  # of each page but the last also the name after it, to know that it is there


async def test_what_macos_keeps_beside_a_picture_is_passed_over_unless_it_is_an_image(
    tmp_path: Path, root: Path
) -> None:
    store = DirectoryStore(DirectorySettings(root, tmp_path / "derived", not_images=frozenset({"ds_store"})))
    await store.start()
    apple_double = b"\0\5\x16\7\0\2\0\0Mac OS X        "  # RFC 1740, appendix B
    (root / "album").mkdir()
    for name in ("cat.jpg", "album/cat.jpg", "album/_.jpg", "a._b.jpg"):
        (root / name).write_bytes(b"whatever")
    for name in ("._cat.jpg", "album/._cat.jpg", "album/._", ".DS_Store"):
        (root / name).write_bytes(apple_double)
    (root / "._image.png").write_bytes(images.png(images.flat(4, 4)))
    assert await names(store) == ["._image.png", "a._b.jpg", "album/_.jpg", "album/cat.jpg", "cat.jpg"]
    await store.close()


async def test_bytes_of_another_sha_256_are_not_stored(store: DirectoryStore, tmp_path: Path) -> None:
    source, md5 = tmp_path / "source", hashlib.md5(b"bytes").hexdigest()
    source.write_bytes(b"bytes")
    announced = hashlib.sha256(b"others").hexdigest()
    with pytest.raises(Corrupt, match="'a' has another SHA256 than was announced"):
        await store.originals.put(NewObject("a", source, "image/png", md5, sha256=announced))
    assert await names(store) == []
    sound = NewObject("a", source, "image/png", md5, sha256=hashlib.sha256(b"bytes").hexdigest())
    assert (await store.originals.put(sound)).bytes == 5
