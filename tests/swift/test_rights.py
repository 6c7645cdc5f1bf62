"""A user who may do little: what works, and what a refusal says."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
from pathlib import Path

import httpx
import pytest
from swiftclient import Connection

from service.store.errors import Forbidden, StoreError, Unavailable
from service.store.swift.settings import SwiftSettings
from service.store.swift.store import SwiftStore
from tests import images
from tests.conftest import swift_options
from tests.gateways import running_gateway
from tests.swift.server import SwiftServer
from tests.swift.stores import client, content, put, settings_for, started
from tests.waiting import until

READER = {"user": "test:reader", "key": "reading"}
OTHER = {"user": "other:tester", "key": "testing"}


def readable(swift: SwiftServer, **changes: object) -> SwiftSettings:
    """A reader's settings, with an originals' container that holds `a` and that the reader may only read."""
    settings = settings_for(swift.url, **READER, **changes)
    with contextlib.closing(client(swift.url)) as owner:
        owner.put_container(settings.container, {"X-Container-Read": "test:reader"})
        owner.put_object(settings.container, "a", b"data", content_type="image/jpeg")
    return settings


async def test_with_persist_never_reading_is_enough(swift: SwiftServer, tmp_path: Path) -> None:
    async with started(readable(swift, derived_needed=False)) as store:
        assert await content(store.originals, tmp_path, "a") == b"data"
        assert [found.name for found in (await store.originals.list()).objects] == ["a"]


async def test_else_the_start_names_the_container_the_right_and_the_command_that_gives_it(swift: SwiftServer) -> None:
    settings = readable(swift)
    with pytest.raises(StoreError) as caught:
        async with started(settings):
            pass
    assert not isinstance(caught.value, Unavailable)
    for words in (
        settings.derived_container,
        "write",
        "swift post",
        "--write-acl PROJECT:USER",
        "cache.persist: never",
    ):
        assert words in str(caught.value)


async def test_a_container_that_may_not_be_read_is_named_with_the_command_that_gives_the_right(
    swift: SwiftServer,
) -> None:
    settings = settings_for(swift.url, **READER, container="it's mine", derived_needed=False)
    with contextlib.closing(client(swift.url)) as owner:
        owner.put_container(settings.container)
    with pytest.raises(StoreError, match=r"swift post 'it'\"'\"'s mine' --read-acl PROJECT:USER"):
        await SwiftStore(settings).start()


async def test_an_upload_that_swift_forbids_is_told_apart_from_a_swift_that_is_away(
    swift: SwiftServer, tmp_path: Path
) -> None:
    settings = readable(swift, derived_needed=False)
    async with started(settings) as store:
        with pytest.raises(Forbidden, match=f"write the container '{settings.container}'"):
            await put(store.originals, tmp_path, "b")


async def test_derived_images_may_lie_in_the_account_of_the_login(swift: SwiftServer, tmp_path: Path) -> None:
    """The reader's own account is that of `test`; the originals are said to be where the storage URL leads."""
    settings = readable(swift)
    with contextlib.closing(client(swift.url)) as owner:
        owner.put_container(settings.derived_container, {"X-Container-Write": "test:reader"})
        owner.post_container(settings.derived_container, {"X-Container-Read": "test:reader"})
        url = owner.get_auth()[0]
    settings = dataclasses.replace(settings, storage_url=url, derived_account="own")
    async with started(settings) as store:
        await put(store.derived, tmp_path, "a/@w=1.png")
        assert store.derived._pool is not store.originals._pool


def test_a_gateway_of_another_account_keeps_its_derived_images_in_its_own(swift: SwiftServer, tmp_path: Path) -> None:
    options = swift_options(swift)
    own = options["store"]["swift"]
    with contextlib.closing(client(swift.url)) as owner:
        owner.put_container(own["container"], {"X-Container-Read": "other:tester"})
        owner.put_object(own["container"], "cat.jpg", images.jpeg(), content_type="image/jpeg")
        own |= OTHER | {"storage_url": owner.get_auth()[0], "derived_account": "own"}
    with running_gateway(tmp_path / "g", options) as gateway:
        assert gateway.public.get("/images/cat.jpg/@w=20.png").status_code == 200
        with contextlib.closing(Connection(own["auth_url"], OTHER["user"], OTHER["key"])) as other:
            assert "AUTH_other" in other.get_auth()[0]
            derived = own["derived_container"]
            until(lambda: [row["name"] for row in other.get_container(derived)[1]] == ["cat.jpg/@w=20.png"])


def test_a_gateway_serves_with_reading_alone_and_answers_403_to_uploads(swift: SwiftServer, tmp_path: Path) -> None:
    options = swift_options(swift)
    with contextlib.closing(client(swift.url)) as owner:
        container = options["store"]["swift"]["container"]
        owner.put_container(container, {"X-Container-Read": "test:reader"})
        owner.put_object(container, "cat.jpg", images.jpeg(), content_type="image/jpeg")
    options["store"]["swift"] |= READER
    options["cache"] = {**options.get("cache", {}), "persist": "never"}
    with running_gateway(tmp_path / "g", options) as gateway:
        assert gateway.public.get("/images/cat.jpg/@w=20.png").status_code == 200
        refused: httpx.Response = gateway.upload("dog.jpg", images.jpeg())
        assert (refused.status_code, refused.json()["type"].rpartition(":")[2]) == (403, "store-forbids")
        assert f"store-forbids: this user may not write the container '{container}'" in gateway.log
        assert container not in refused.text
        told = gateway.log.count("store-forbids: this user may not write")
        form = [("file", (name, images.jpeg())) for name in ("a.jpg", "b.jpg")]
        several = gateway.api.post("/images/f/", files=form)
        assert (several.status_code, [one["status"] for one in several.json()]) == (207, [403, 403])
        assert gateway.log.count("store-forbids: this user may not write") == told + 2
        assert gateway.public.get("/images/cat.jpg/@w=21.png").status_code == 200


async def test_a_container_that_is_deleted_meanwhile_is_named(swift: SwiftServer) -> None:
    settings = settings_for(swift.url)
    with contextlib.closing(client(swift.url)) as owner:
        owner.put_container(settings.container)
        async with started(settings) as store:
            owner.delete_container(settings.container)
            for call in (store.originals.stat("a"), store.originals.list()):
                with pytest.raises(Unavailable, match=f"no container '{settings.container}' any more"):
                    await call


def test_a_gateway_whose_container_is_deleted_is_not_ready_and_names_it(swift: SwiftServer, tmp_path: Path) -> None:
    options = swift_options(swift)
    options["cache"] = {**options.get("cache", {}), "revalidate": "1s"}
    container = options["store"]["swift"]["container"]
    with contextlib.closing(client(swift.url)) as owner, running_gateway(tmp_path / "g", options) as gateway:
        assert gateway.api.get("/health/ready").status_code == 200
        owner.delete_container(container)
        until(lambda: gateway.api.get("/health/ready").status_code == 503)
        checks = gateway.api.get("/health/ready").json()["checks"]
        owner.put_container(container)
        until(lambda: gateway.api.get("/health/ready").status_code == 200)
    assert f"no container '{container}' any more" in checks["store"]


async def test_a_temporary_url_that_is_refused_says_in_the_log_what_is_in_its_way(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, swift: SwiftServer
) -> None:
    settings = settings_for(swift.url, create=True)
    temp_url = dataclasses.replace(settings.temp_url, digest="md5")  # type: ignore[arg-type]  # which no Swift takes
    async with started(dataclasses.replace(settings, temp_url=temp_url)) as store:
        await put(store.originals, tmp_path, "a")
        with caplog.at_level(logging.WARNING), pytest.raises(StoreError):
            await store.originals.temporary_url("a", lifetime=60)
    assert "it takes the digests sha1, sha256, sha512: set store.swift.temp_url.digest" in caplog.text
