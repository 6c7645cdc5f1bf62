"""The store's contract against a real Ceph RADOS gateway. Slow to install: only run when named, as root.

pytest tests/swift/real_radosgw.py
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import subprocess
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from service.store.base import Store
from service.store.errors import Exists, NotFound
from service.store.swift.settings import SwiftSettings, TempUrlSettings
from service.store.swift.store import SwiftStore
from tests.gateways import free_ports
from tests.store.test_contract import *  # noqa: F403  # the contract, with the store of this module
from tests.store.test_contract_listing import (  # all but where a marker lies in a folder: docs/swift.md
    test_listing_stat_put_and_fetch_agree_on_what_is_stored,  # noqa: F401
    test_listings_give_every_name_once_in_byte_order,  # noqa: F401
)
from tests.swift.server import PROJECT, environments
from tests.swift.stores import FREE, client, content, make_originals, put, settings_for, started

SCRIPT = PROJECT / "scripts" / "radosgw"
PIECES = [bytes([65 + number]) * 70_000 for number in range(3)]


def debian() -> Path:
    """An empty Debian with Ceph in it; made if it is missing."""
    path = environments() / "radosgw"
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (path / "complete").exists():
            subprocess.run([SCRIPT, "install", path], check=True)
    return path


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """Where the gateway answers; all of Ceph ends with the module."""
    port = free_ports(1)[0]
    command = [str(SCRIPT), "run", str(debian()), str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "up\n"
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


@pytest.fixture
def settings(url: str) -> SwiftSettings:
    settings = replace(settings_for(url), timeout=20, temp_url=TempUrlSettings(scope="account", digest="sha1"))
    make_originals(url, settings)
    return settings


@pytest.fixture
async def store(settings: SwiftSettings) -> AsyncIterator[Store]:
    async with started(settings) as store:
        yield store


async def test_a_listing_and_a_head_mean_the_same_object(store: SwiftStore, tmp_path: Path) -> None:
    """Ceph rounds Last-Modified down, and a listing has fractions of a second."""
    for number in range(20):
        await put(store.originals, tmp_path, f"{number:02}.jpg")
    listed = (await store.originals.list()).objects
    asked = [await store.originals.stat(one.name) for one in listed]
    assert [(one.etag, one.modified) for one in listed] == [(one.etag, one.modified) for one in asked]


async def test_a_static_large_object_is_fetched_whole(
    url: str, store: SwiftStore, settings: SwiftSettings, tmp_path: Path
) -> None:
    rows = []
    with contextlib.closing(client(url)) as connection:
        for number, piece in enumerate(PIECES):
            name = f"pieces/{uuid.uuid4().hex}/{number}"
            etag = connection.put_object(settings.container, name, piece)
            rows.append({"path": f"/{settings.container}/{name}", "etag": etag.strip('"'), "size_bytes": len(piece)})
        connection.put_object(settings.container, "large.jpg", json.dumps(rows), query_string="multipart-manifest=put")
    assert await content(store.originals, tmp_path, "large.jpg") == b"".join(PIECES)


async def test_pages_go_on_after_the_rows_of_one_answer(url: str, store: SwiftStore, settings: SwiftSettings) -> None:
    """Ceph gives a thousand at most, whatever it is asked for."""
    names = [f"{number:04}" for number in range(1100)]
    with contextlib.closing(client(url)) as connection:
        for name in names:
            connection.put_object(settings.container, name, b"x")
    assert [one.name for one in (await store.originals.list(limit=2000)).objects] == names


async def test_what_is_deleted_is_gone(store: SwiftStore, tmp_path: Path) -> None:
    await put(store.originals, tmp_path, "a.jpg")
    assert await store.originals.delete_all(["a.jpg", "never.jpg"]) >= 1
    with pytest.raises(NotFound):
        await store.originals.stat("a.jpg")


async def test_a_taken_name_is_not_overwritten_though_ceph_would(store: SwiftStore, tmp_path: Path) -> None:
    await put(store.originals, tmp_path, "a.jpg")
    with pytest.raises(Exists):
        await put(store.originals, tmp_path, "a.jpg", b"others", precondition=FREE, checked=True)
    assert await content(store.originals, tmp_path, "a.jpg") == b"bytes"
