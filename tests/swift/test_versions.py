"""Containers that keep former versions of their objects: a deleted image stays deleted, or the start is refused."""

from __future__ import annotations

import contextlib
import logging
import uuid
from pathlib import Path
from typing import Any

import pytest
from swiftclient import Connection

from service.store.errors import NotFound, StoreError
from service.store.swift.store import SwiftStore
from tests.swift.server import SwiftServer
from tests.swift.stores import client, content, make_originals, put, settings_for, started


def set_header(swift: SwiftServer, container: str, header: str, value: str) -> None:
    with contextlib.closing(client(swift.url)) as connection:
        connection.post_container(container, {header: value})


def archive(swift: SwiftServer) -> str:
    name = f"archive-{uuid.uuid4().hex}"
    with contextlib.closing(client(swift.url)) as connection:
        connection.put_container(name)
    return name


@pytest.mark.parametrize("which", ["container", "derived_container"])
async def test_a_container_that_brings_former_versions_back_stops_the_start(swift: SwiftServer, which: str) -> None:
    settings = settings_for(swift.url)
    make_originals(swift.url, settings)
    async with started(settings):
        pass
    container = getattr(settings, which)
    set_header(swift, container, "X-Versions-Location", archive(swift))
    with pytest.raises(StoreError, match=f"swift post {container} -H 'X-Remove-Versions-Location: true'"):
        await SwiftStore(settings).start()
    set_header(swift, container, "X-Remove-Versions-Location", "true")
    async with started(settings):
        pass


async def test_no_former_version_is_there_after_a_deletion_in_a_container_that_began_to_keep_them(
    swift: SwiftServer, tmp_path: Path
) -> None:
    settings = settings_for(swift.url)
    make_originals(swift.url, settings)
    async with started(settings) as store:
        set_header(swift, settings.container, "X-Versions-Location", archive(swift))
        for version in (b"one", b"two", b"three"):
            await put(store.originals, tmp_path, "a.jpg", version)
        await store.originals.delete("a.jpg")
        with pytest.raises(NotFound):
            await store.originals.stat("a.jpg")


@pytest.mark.parametrize(
    ("header", "off"),
    [
        ("X-History-Location", "X-Remove-History-Location: true"),
        ("X-Versions-Enabled", "X-Versions-Enabled: false"),
    ],
)
async def test_where_former_versions_are_kept_out_of_the_way_a_deletion_is_one_and_the_log_tells(
    swift: SwiftServer, tmp_path: Path, caplog: pytest.LogCaptureFixture, header: str, off: str
) -> None:
    settings = settings_for(swift.url)
    make_originals(swift.url, settings)
    set_header(swift, settings.container, header, archive(swift) if header == "X-History-Location" else "true")
    with caplog.at_level(logging.WARNING):
        async with started(settings) as store:
            for version in (b"one", b"two"):
                await put(store.originals, tmp_path, "a.jpg", version)
            assert await content(store.originals, tmp_path, "a.jpg") == b"two"
            assert [one.name for one in (await store.originals.list()).objects] == ["a.jpg"]
            await store.originals.delete("a.jpg")
            with pytest.raises(NotFound):
                await store.originals.stat("a.jpg")
    (told,) = [record.getMessage() for record in caplog.records if "retains the bytes" in record.getMessage()]
    assert f"swift post {settings.container} -H '{off}'" in told


async def test_what_somebody_uploads_during_a_deletion_is_not_taken_for_a_former_version(
    swift: SwiftServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_for(swift.url)
    make_originals(swift.url, settings)
    async with started(settings) as store:
        await put(store.originals, tmp_path, "a.jpg", b"one")
        delete = Connection.delete_object

        def overtaken(*arguments: Any, **more: Any) -> None:
            delete(*arguments, **more)
            with contextlib.closing(client(swift.url)) as connection:
                connection.put_object(settings.container, "a.jpg", b"two")

        monkeypatch.setattr(Connection, "delete_object", overtaken)
        await store.originals.delete("a.jpg")
        assert await content(store.originals, tmp_path, "a.jpg") == b"two"
