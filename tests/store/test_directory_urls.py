"""The key of temporary URLs on a directory store, and how derived images of long names lie there."""

from __future__ import annotations

import hashlib
import hmac
import os
import stat
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from service.store.base import TemporaryUrl
from service.store.directory.key import KEY_FILE, key_of
from service.store.directory.settings import DirectorySettings
from service.store.directory.store import DirectoryStore
from service.store.directory.urls import UrlSettings
from service.store.errors import NoTemporaryUrls, NotFound
from tests.swift.stores import content, put

LONG = f"a.jpg/@{'crop=10p:10p:10p:10p,' * 13}w=9.webp"


def settings(tmp_path: Path, **changes: Any) -> DirectorySettings:
    (tmp_path / "run").mkdir(exist_ok=True)
    urls = UrlSettings("http://127.0.0.1", (tmp_path / "derived", tmp_path / "run"), **changes)
    return DirectorySettings(tmp_path / "pictures", tmp_path / "derived", urls=urls)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[DirectoryStore]:
    store = DirectoryStore(settings(tmp_path))
    await store.start()
    yield store
    await store.close()


def signature(url: TemporaryUrl) -> str:
    return parse_qs(urlsplit(url.url).query)["temp_url_sig"][0]


async def test_the_key_is_made_at_first_use_and_only_its_owner_reads_it(store: DirectoryStore, tmp_path: Path) -> None:
    file = tmp_path / "derived" / KEY_FILE
    assert not file.exists()
    await put(store.originals, tmp_path, "a")
    url = await store.originals.temporary_url("a", lifetime=60)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    key = file.read_text().strip()
    assert len(key) == 64
    message = f"GET\n{url.expires}\n{unquote(urlsplit(url.url).path)}"
    assert signature(url) == hmac.new(key.encode(), message.encode(), "sha256").hexdigest()
    assert [one.name for one in (await store.derived.list()).objects] == []
    with pytest.raises(NotFound):
        await store.derived.stat(KEY_FILE)


def test_all_who_make_the_key_at_once_have_the_same(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        keys = set(threads.map(lambda _: key_of([tmp_path]), range(64)))
    assert len(keys) == 1
    assert [path.name for path in tmp_path.iterdir()] == [KEY_FILE]


def test_a_folder_that_takes_no_key_leaves_it_to_the_next(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "run").mkdir()
    key = key_of([tmp_path / "file", tmp_path / "run"])
    assert (tmp_path / "run" / KEY_FILE).read_text().strip() == key == key_of([tmp_path / "file", tmp_path / "run"])
    with pytest.raises(NoTemporaryUrls, match=r"store\.directory\.temp_url\.key"):
        key_of([tmp_path / "file"])


def test_a_key_is_no_link_and_no_pipe(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("somebody else's")
    for lay in (lambda path: path.symlink_to(tmp_path / "secret"), os.mkfifo):
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        folder.mkdir()
        lay(folder / KEY_FILE)
        with pytest.raises(NoTemporaryUrls):
            key_of([folder])


async def test_the_derived_folder_may_be_removed_with_its_key(store: DirectoryStore, tmp_path: Path) -> None:
    await put(store.originals, tmp_path, "a")
    first = await store.originals.temporary_url("a", lifetime=60)
    (tmp_path / "derived" / KEY_FILE).unlink()
    (tmp_path / "derived").rmdir()
    assert signature(await store.originals.temporary_url("a", lifetime=60)) != signature(first)


@pytest.mark.parametrize("digest", ["sha1", "sha256", "sha512"])
async def test_key_digest_and_longest_lifetime_are_as_configured(tmp_path: Path, digest: str) -> None:
    store = DirectoryStore(settings(tmp_path, keys=("ours", "old"), digest=digest, max_lifetime=100))
    await store.start()
    await put(store.originals, tmp_path, "a")
    url = await store.originals.temporary_url("a", lifetime=1e9)
    message = f"GET\n{url.expires}\n/temp/originals/a".encode()
    assert signature(url) == hmac.new(b"ours", message, digest).hexdigest()
    assert url.expires <= time.time() + 100
    assert not (tmp_path / "derived" / KEY_FILE).exists()
    await store.close()


async def test_there_is_no_url_to_what_is_not_there(store: DirectoryStore) -> None:
    for container in (store.originals, store.derived):
        with pytest.raises(NotFound):
            await container.temporary_url("a/@w=1.png", lifetime=60)


async def test_a_recipe_that_no_file_system_holds_lies_under_its_hash(store: DirectoryStore, tmp_path: Path) -> None:
    await put(store.derived, tmp_path, LONG, b"long")
    await put(store.derived, tmp_path, "a.jpg/@w=1.png", b"short")
    assert await content(store.derived, tmp_path, LONG) == b"long"
    hashed = f"a.jpg/@{hashlib.sha256(LONG.partition('/')[2].encode()).hexdigest()}.webp"
    assert sorted(one.name for one in (await store.derived.list(prefix="a.jpg/@")).objects) == sorted(
        [hashed, "a.jpg/@w=1.png"]
    )
    url = await store.derived.temporary_url(LONG, lifetime=60)
    assert unquote(urlsplit(url.url).path) == f"/temp/derived/{hashed}"
    await store.derived.delete(hashed)
    with pytest.raises(NotFound):
        await store.derived.stat(LONG)
