"""Temporary URLs that anyone can fetch, from a real Swift."""

import asyncio
import dataclasses
import hashlib
import subprocess
import time
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from service.store.base import TemporaryUrl
from service.store.errors import NoTemporaryUrls, NotFound
from service.store.swift.settings import SwiftSettings, TempUrlSettings
from service.store.swift.store import SwiftStore
from tests.store.test_contract import NAMES
from tests.swift.server import SwiftServer
from tests.swift.stores import client, make_originals, put, settings_for, started


@pytest.fixture
def settings(swift: SwiftServer) -> SwiftSettings:
    settings = settings_for(swift.url)
    make_originals(swift.url, settings)
    return settings


def with_urls(settings: SwiftSettings, **changes: Any) -> SwiftSettings:
    return dataclasses.replace(settings, temp_url=TempUrlSettings(**changes))


async def curl(url: str, *options: str) -> tuple[str, str, bytes]:
    """Status, headers in lower case, and body, as curl sees them."""
    command = ["curl", "--silent", "--globoff", "--noproxy", "*", "--include", *options, url]
    answer = await asyncio.to_thread(subprocess.run, command, capture_output=True, check=True, timeout=120)
    head, _, body = answer.stdout.partition(b"\r\n\r\n")
    return head.decode().split()[1], head.decode().lower(), body


async def url(store: SwiftStore, name: str, lifetime: float = 60, **options: Any) -> TemporaryUrl:
    return await store.originals.temporary_url(name, lifetime=lifetime, **options)


@pytest.mark.parametrize("name", NAMES)
async def test_curl_fetches_a_name_of_any_kind(settings: SwiftSettings, tmp_path: Path, name: str) -> None:
    async with started(settings) as store:
        await put(store.originals, tmp_path, name, b"data")
        given = (await url(store, name)).url
        assert (await curl(given))[::2] == ("200", b"data")
        assert (await curl(given, "--head"))[0] == "200"


@pytest.mark.parametrize("scope", ["container", "account"])
@pytest.mark.parametrize("digest", ["sha1", "sha256", "sha512"])
async def test_scope_and_digest_are_as_configured(
    settings: SwiftSettings, tmp_path: Path, scope: str, digest: str
) -> None:
    async with started(with_urls(settings, scope=scope, digest=digest)) as store:
        await put(store.originals, tmp_path, "a", b"original")
        await put(store.derived, tmp_path, "a/@w=1.jpg", b"derived")
        assert (await curl((await url(store, "a")).url))[2] == b"original"
        derived = await store.derived.temporary_url("a/@w=1.jpg", lifetime=60)
        assert (await curl(derived.url))[2] == b"derived"
        signature = parse_qs(urlsplit(derived.url).query)["temp_url_sig"][0]
        assert len(bytes.fromhex(signature)) == hashlib.new(digest).digest_size


async def test_the_url_opens_nothing_else_and_ends_in_time(settings: SwiftSettings, tmp_path: Path) -> None:
    async with started(settings) as store:
        await put(store.originals, tmp_path, "a")
        await put(store.originals, tmp_path, "b")
        before = time.time()
        given = await url(store, "a", lifetime=2)
        assert before + 1 <= given.expires <= time.time() + 3
        assert (await curl(given.url.replace("/a?", "/b?")))[0] == "401"
        assert (await curl(given.url, "--request", "DELETE"))[0] == "401"
        await asyncio.sleep(max(0.0, given.expires - time.time()) + 1.1)
        assert (await curl(given.url))[0] == "401"


async def test_a_lifetime_ends_at_the_configured_maximum(settings: SwiftSettings, tmp_path: Path) -> None:
    async with started(with_urls(settings, max_lifetime=100)) as store:
        await put(store.originals, tmp_path, "a")
        assert (await url(store, "a", lifetime=1e9)).expires <= time.time() + 100


async def test_file_name_and_inline_reach_the_browser(settings: SwiftSettings, tmp_path: Path) -> None:
    async with started(settings) as store:
        await put(store.originals, tmp_path, "a")
        _, headers, _ = await curl((await url(store, "a", filename="mein Bild & mehr.jpg")).url)
        assert "content-disposition: attachment" in headers
        assert "filename*=utf-8''mein%20bild%20%26%20mehr.jpg" in headers
        _, headers, _ = await curl((await url(store, "a", inline=True)).url)
        assert "content-disposition: inline" in headers


async def test_there_is_no_url_to_what_is_not_there(settings: SwiftSettings) -> None:
    async with started(settings) as store:
        with pytest.raises(NotFound):
            await url(store, "a")


async def test_an_empty_object_has_a_url_too(settings: SwiftSettings, tmp_path: Path) -> None:
    async with started(settings) as store:
        await put(store.originals, tmp_path, "a", b"")
        assert (await curl((await url(store, "a")).url))[0] == "200"


def keys_of(swift: SwiftServer, container: str) -> tuple[str | None, str | None]:
    headers = client(swift.url).head_container(container)
    return headers.get("x-container-meta-temp-url-key"), headers.get("x-container-meta-temp-url-key-2")


def set_keys(swift: SwiftServer, container: str, first: str, second: str = "") -> None:
    headers = {"X-Container-Meta-Temp-URL-Key": first, "X-Container-Meta-Temp-URL-Key-2": second}
    client(swift.url).post_container(container, headers)


async def test_a_key_is_made_once_and_found_by_the_next_node(
    swift: SwiftServer, settings: SwiftSettings, tmp_path: Path
) -> None:
    async with started(settings) as first, started(settings) as second:
        made = keys_of(swift, settings.container)
        assert len(made[0] or "") >= 32
        assert keys_of(swift, settings.derived_container)[0] != made[0]
        await put(first.originals, tmp_path, "a")
        await url(first, "a")
        await url(second, "a")
        assert keys_of(swift, settings.container) == made


async def test_a_key_that_is_there_already_is_used(swift: SwiftServer, settings: SwiftSettings, tmp_path: Path) -> None:
    for first, second in (("it's 50%41 ours", ""), ("", "second only")):
        set_keys(swift, settings.container, first, second)
        async with started(settings) as store:
            await put(store.originals, tmp_path, "a", b"data")
            assert (await curl((await url(store, "a")).url))[2] == b"data"


async def test_a_configured_key_is_set_beside_the_one_of_somebody_else(
    swift: SwiftServer, settings: SwiftSettings, tmp_path: Path
) -> None:
    set_keys(swift, settings.container, "theirs")
    async with started(with_urls(settings, keys=("ours",))) as store:
        await put(store.originals, tmp_path, "a", b"data")
        assert (await curl((await url(store, "a")).url))[2] == b"data"
    assert keys_of(swift, settings.container) == ("theirs", "ours")


async def test_two_foreign_keys_are_not_overwritten_by_one(
    swift: SwiftServer, settings: SwiftSettings, tmp_path: Path
) -> None:
    set_keys(swift, settings.container, "one", "two")
    async with started(with_urls(settings, keys=("ours",))) as store:
        await put(store.originals, tmp_path, "a")
        with pytest.raises(NoTemporaryUrls, match="both"):
            await url(store, "a")
    assert keys_of(swift, settings.container) == ("one", "two")


async def test_keys_are_rotated_without_a_broken_url(
    swift: SwiftServer, settings: SwiftSettings, tmp_path: Path
) -> None:
    async with started(with_urls(settings, keys=("old",))) as store:
        await put(store.originals, tmp_path, "a", b"data")
        old = await url(store, "a")
    async with started(with_urls(settings, keys=("new", "old"))) as store:
        new = await url(store, "a")
        assert (await curl(old.url))[2] == (await curl(new.url))[2] == b"data"
    async with started(with_urls(settings, keys=("newer", "new"))) as store:
        assert (await curl((await url(store, "a")).url))[2] == (await curl(new.url))[2] == b"data"
        assert (await curl(old.url))[0] == "401"


async def test_a_key_that_was_changed_meanwhile_is_learned(
    swift: SwiftServer, settings: SwiftSettings, tmp_path: Path
) -> None:
    async with started(settings) as store:
        await put(store.originals, tmp_path, "a", b"data")
        await url(store, "a")
        set_keys(swift, settings.container, "changed behind our back")
        assert (await curl((await url(store, "a")).url))[2] == b"data"


async def test_a_user_without_the_right_to_set_a_key_is_told_so(
    swift: SwiftServer, settings: SwiftSettings, tmp_path: Path
) -> None:
    connection = client(swift.url)
    connection.put_container(settings.derived_container)
    for container in (settings.container, settings.derived_container):
        access = {"X-Container-Read": "test:reader", "X-Container-Write": "test:reader"}
        connection.post_container(container, access)
    reader = dataclasses.replace(settings, user="test:reader", key="reading")
    async with started(reader) as store:
        await put(store.originals, tmp_path, "a")
        with pytest.raises(NoTemporaryUrls, match="may not set"):
            await url(store, "a")
