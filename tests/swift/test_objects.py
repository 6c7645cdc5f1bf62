"""What is particular to objects in a real Swift: expiry, segments, names that others have stored, many rows."""

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from service.store.errors import Exists, NoTemporaryUrls, NotFound, Unholdable
from service.store.swift import listing
from service.store.swift.objects import from_row
from service.store.swift.settings import TempUrlSettings
from service.store.swift.store import SwiftStore
from tests.swift.faults import Fault, FaultProxy
from tests.swift.server import SwiftServer
from tests.swift.stores import FREE, client, content, make_originals, put, settings_for, started

PIECES = [bytes([65 + number]) * 70_000 for number in range(3)]


@pytest.fixture
def container(store: SwiftStore) -> str:
    return store.originals._container


def segments(swift: SwiftServer, name: str) -> list[dict[str, object]]:
    """Store the pieces in a container of their own; the rows of a static large object's manifest."""
    connection = client(swift.url)
    connection.put_container("segments")
    rows = []
    for number, piece in enumerate(PIECES):
        connection.put_object("segments", f"{name}/{number}", piece)
        md5 = hashlib.md5(piece).hexdigest()
        rows.append({"path": f"/segments/{name}/{number}", "etag": md5, "size_bytes": len(piece)})
    return rows


def put_static(swift: SwiftServer, container: str, name: str, rows: list[dict[str, object]]) -> None:
    client(swift.url).put_object(container, name, json.dumps(rows), query_string="multipart-manifest=put")


def put_dynamic(swift: SwiftServer, container: str, name: str) -> None:
    client(swift.url).put_object(container, name, b"", headers={"X-Object-Manifest": f"segments/{name}/"})


@pytest.mark.parametrize("told", ["2026-11-27T23:36:56.174000", "2026-11-27T23:36:56.174Z"], ids=["Swift", "Ceph"])
def test_a_row_of_a_listing_tells_the_time_as_both_implementations_do(told: str) -> None:
    found = from_row({"name": "a", "bytes": 1, "hash": "0" * 32, "last_modified": told})
    assert found.modified == datetime(2026, 11, 27, 23, 36, 57, tzinfo=UTC).timestamp()


async def test_derived_objects_expire_as_configured_or_as_told(swift: SwiftServer, tmp_path: Path) -> None:
    settings = settings_for(swift.url, delete_after=1000)
    make_originals(swift.url, settings)
    async with started(settings) as store:
        await put(store.derived, tmp_path, "a/@w=1.jpg")
        await put(store.derived, tmp_path, "a/@w=2.jpg", delete_after=50)
        await put(store.originals, tmp_path, "a")
    connection = client(swift.url)
    for container, name, seconds in (
        (settings.derived_container, "a/@w=1.jpg", 1000),
        (settings.derived_container, "a/@w=2.jpg", 50),
    ):
        headers = connection.head_object(container, name)
        assert abs(float(headers["x-delete-at"]) - float(headers["x-timestamp"]) - seconds) < 3
    assert "x-delete-at" not in connection.head_object(settings.container, "a")


@pytest.mark.parametrize("kind", ["static", "dynamic", "nested", "ranges"])
async def test_segmented_objects_are_read_whole(
    swift: SwiftServer, store: SwiftStore, container: str, tmp_path: Path, kind: str
) -> None:
    name, expected = f"large-{kind}", b"".join(PIECES)
    rows = segments(swift, name)
    if kind == "dynamic":
        put_dynamic(swift, container, name)
    elif kind == "static":
        put_static(swift, container, name, rows)
    elif kind == "nested":
        put_static(swift, "segments", "inner", rows[:2])
        inner: dict[str, object] = {"path": "/segments/inner"}
        put_static(swift, container, name, [inner, rows[2]])
    else:
        put_static(swift, container, name, [rows[0] | {"range": "100-199"}, rows[1]])
        expected = PIECES[0][100:200] + PIECES[1]
    fetched = await store.originals.fetch(name, tmp_path / "target")
    assert (tmp_path / "target").read_bytes() == expected
    assert fetched.bytes == len(expected)
    assert await store.originals.stat(name) == fetched
    assert (await store.originals.list(prefix=name)).objects == [fetched]


@pytest.mark.parametrize("kind", ["static", "dynamic"])
async def test_a_flipped_bit_in_a_segment_is_noticed(
    swift: SwiftServer, store: SwiftStore, container: str, proxy: FaultProxy, tmp_path: Path, kind: str
) -> None:
    name = f"flipped-{kind}"
    rows = segments(swift, name)
    if kind == "static":
        put_static(swift, container, name, rows)
    else:
        put_dynamic(swift, container, name)
    # Once for the request that only told that there are segments, once for the object.
    proxy.fault = Fault(lambda line: line.startswith("GET") and line.split()[1].endswith(name), times=2, flip=100_000)
    assert await content(store.originals, tmp_path, name) == b"".join(PIECES)
    assert store.pool.repeated == 1


async def test_a_container_key_does_not_open_segments_elsewhere_but_an_account_key_does(
    swift: SwiftServer, tmp_path: Path
) -> None:
    settings = settings_for(swift.url)
    make_originals(swift.url, settings)
    put_static(swift, settings.container, "large", segments(swift, "url"))
    async with started(settings) as store:
        with pytest.raises(NoTemporaryUrls, match="account"):
            await store.originals.temporary_url("large", lifetime=60)
    by_account = dataclasses.replace(settings, temp_url=TempUrlSettings(scope="account"))
    async with started(by_account) as store:
        assert (await store.originals.temporary_url("large", lifetime=60)).url


async def test_names_that_no_request_can_ask_for_are_left_out_of_listings(
    swift: SwiftServer, store: SwiftStore, container: str
) -> None:
    connection = client(swift.url)
    for name in ("a.jpg", "a//b.jpg", "folder/", "@x/a.jpg", "b/@c.jpg", "line\nfeed", "z.jpg", "z/y.jpg"):
        connection.put_object(container, name, b"x")
    for limit in (1, 2, 100):
        names: list[str] = []
        marker: str | None = ""
        while marker is not None:
            page = await store.originals.list(limit=limit, marker=marker)
            names += [found.name for found in page.objects]
            marker = page.marker
        assert names == ["a.jpg", "z.jpg", "z/y.jpg"]
    page = await store.originals.list(delimiter="/")
    assert [found.name for found in page.objects] == ["a.jpg", "z.jpg"]
    assert "z/" in page.folders
    assert "@x/" not in page.folders


async def test_an_object_that_stands_for_a_folder_is_no_image(
    swift: SwiftServer, store: SwiftStore, container: str, tmp_path: Path
) -> None:
    connection = client(swift.url)
    connection.put_object(container, "albums", b"", content_type="application/directory; charset=utf-8")
    connection.put_object(container, "albums/a.jpg", b"x", content_type="application/directory")
    page = await store.originals.list(delimiter="/")
    assert ([found.name for found in page.objects], page.folders) == ([], ["albums/"])
    assert [found.name for found in (await store.originals.list()).objects] == ["albums/a.jpg"]
    for ask in (store.originals.stat("albums"), store.originals.fetch("albums", tmp_path / "target")):
        with pytest.raises(NotFound, match="folder"):
            await ask
    assert (await store.originals.stat("albums/a.jpg")).bytes == 1


@pytest.mark.parametrize("refuses", [True, False], ids=["Swift", "Ceph"])
async def test_a_taken_name_is_asked_for_first_where_the_store_would_not_refuse_it(
    store: SwiftStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, refuses: bool
) -> None:
    await put(store.originals, tmp_path, "a")
    asked: list[str] = []
    present = store.originals._present

    def noted(connection: Any, name: str) -> Any:
        asked.append(name)
        return present(connection, name)

    monkeypatch.setattr(store.originals, "_present", noted)
    monkeypatch.setattr(store.originals, "_refuses_taken", refuses)
    with pytest.raises(Exists):
        await put(store.originals, tmp_path, "a", b"others", precondition=FREE, checked=True)
    assert asked == ([] if refuses else ["a"])


async def test_a_full_page_costs_one_request(
    store: SwiftStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b", "c"):
        await put(store.originals, tmp_path, name)
    asked: list[str] = []
    rows = listing._rows

    def noted(pool: Any, container: str, query: Mapping[str, Any], connection: Any) -> Any:
        asked.append(query["marker"])
        return rows(pool, container, query, connection)

    monkeypatch.setattr(listing, "_MOST", 2)  # as a server that gives no more in one answer
    monkeypatch.setattr(listing, "_rows", noted)
    assert (await store.originals.list(limit=2)).marker == "b"
    assert asked == [""]


async def test_a_page_may_be_larger_than_one_answer_of_swift(
    store: SwiftStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.store.swift.listing._MOST", 3)
    names = [f"{number:02}" for number in range(10)]
    for name in names:
        await put(store.originals, tmp_path, name)
    page = await store.originals.list()
    assert [found.name for found in page.objects] == names
    assert page.marker is None
    page = await store.originals.list(limit=7)
    assert ([found.name for found in page.objects], page.marker) == (names[:7], "06")


async def test_what_swift_cannot_hold_is_unholdable(store: SwiftStore, tmp_path: Path) -> None:
    for name in ("x" * 1025, "ü" * 600, "a/../b"):
        with pytest.raises(Unholdable):
            await put(store.derived, tmp_path, name)
    with pytest.raises(Unholdable):
        await put(store.derived, tmp_path, "a", metadata={"much": "x" * 5000})
    await put(store.derived, tmp_path, "x" * 1024)


async def test_a_missing_container_of_derived_images_is_made_again(
    swift: SwiftServer, store: SwiftStore, tmp_path: Path
) -> None:
    client(swift.url).delete_container(store.derived._container)
    with pytest.raises(NotFound):
        await store.derived.stat("a/@w=1.jpg")
    await put(store.derived, tmp_path, "a/@w=1.jpg", b"data")
    assert await content(store.derived, tmp_path, "a/@w=1.jpg") == b"data"


def test_swift_tells_both_of_two_that_create_a_name_at_once_that_it_was_free(
    swift: SwiftServer, container: str
) -> None:
    """So the answer to `If-None-Match: *` does not tell that nothing was there, and a creation has an entry in the
    journal as any change has."""
    url, token = client(swift.url).get_auth()
    parts = urlsplit(url)
    headers = {"X-Auth-Token": token, "If-None-Match": "*", "Content-Length": "4", "Expect": "100-continue"}
    with ExitStack() as stack:
        opened = []
        for _ in range(2):
            connection = stack.enter_context(closing(HTTPConnection(parts.netloc)))
            connection.putrequest("PUT", f"{parts.path}/{container}/contended")
            for name, value in headers.items():
                connection.putheader(name, value)
            connection.endheaders()
            assert connection.sock.recv(1024).startswith(b"HTTP/1.1 100 ")  # it has looked what is there
            opened.append(connection)
        for number, connection in enumerate(opened):
            connection.send(b"%04d" % number)
            assert connection.getresponse().status == 201
