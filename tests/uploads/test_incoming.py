"""The incoming container of either store: what is taken is a copy, and what is never finished goes."""

from __future__ import annotations

import contextlib
import hashlib
import time
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlsplit

import httpx
import pytest

from service.maintenance.unfinished import Unfinished
from service.store.base import NewObject, Store
from service.store.directory.settings import DirectorySettings
from service.store.directory.store import DirectoryStore
from service.store.directory.urls import UrlSettings
from service.store.errors import Corrupt, NotArrived, NotAsAnnounced, NotFound
from service.store.incoming import IncomingContainer, new_name
from service.store.swift import temp_url
from service.store.swift.settings import SwiftSettings
from tests import images
from tests.conftest import swift_options
from tests.gateways import running_gateway
from tests.swift.server import SwiftServer
from tests.swift.stores import client, make_originals, settings_for, started
from tests.uploads.direct import begin, code, sent
from tests.waiting import PATIENCE

FIRST, SECOND = b"first bytes", b"other bytes"
HOUR = 3600
CAT = images.jpeg(images.photo(64, 48))


def swift_settings(server: SwiftServer) -> SwiftSettings:
    settings = settings_for(server.url, incoming_container=f"incoming-{uuid.uuid4().hex}", incoming_quota=10**6)
    make_originals(server.url, settings)
    return settings


@pytest.fixture(params=["directory", "swift"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    if request.param == "swift":
        async with started(swift_settings(request.getfixturevalue("swift"))) as opened:
            yield opened
        return
    urls = UrlSettings("http://127.0.0.1:1", (tmp_path,))
    directory = DirectoryStore(
        DirectorySettings(tmp_path / "root", tmp_path / "derived", urls=urls, incoming=tmp_path / "in")
    )
    await directory.start()
    yield directory
    await directory.close()


@pytest.fixture
def incoming(store: Store) -> IncomingContainer:
    assert store.incoming
    return store.incoming


async def arrive(incoming: IncomingContainer, name: str, data: bytes) -> None:
    """Bytes that a client sends to the URL of this name, which need not hold any more."""
    if incoming.landing:
        async with incoming.landing.receiving(name, len(data)) as place:
            place.write_bytes(data)
        return
    url = await incoming.put_url(name, int(time.time()) + HOUR)
    async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE) as http:
        assert (await http.put(url.url, content=data)).status_code == 201


def announced(data: bytes = FIRST, lasting: int = HOUR) -> str:
    return new_name(int(time.time()) + lasting, len(data))


async def test_what_is_sent_while_an_upload_is_finished_changes_nothing(
    store: Store, incoming: IncomingContainer, tmp_path: Path
) -> None:
    name, taken, stored = announced(), tmp_path / "taken", tmp_path / "stored"
    await arrive(incoming, name, FIRST)
    copy_of = (await incoming.take(name, len(FIRST), taken)).copy_of
    await arrive(incoming, name, SECOND)
    assert taken.read_bytes() == FIRST

    md5, sha256 = (hashlib.new(algorithm, FIRST).hexdigest() for algorithm in ("md5", "sha256"))
    new = NewObject("cat.jpg", taken, "image/jpeg", md5, {"sha256": sha256}, sha256=sha256, copy_of=copy_of)
    await store.originals.put(new)
    found = await store.originals.fetch("cat.jpg", stored)
    assert stored.read_bytes() == FIRST
    assert (found.content_type, found.metadata) == ("image/jpeg", {"sha256": sha256})


async def test_what_has_another_size_or_has_not_come_is_not_taken(incoming: IncomingContainer, tmp_path: Path) -> None:
    name, target = announced(), tmp_path / "target"
    with pytest.raises(NotArrived):
        await incoming.take(name, len(FIRST), target)
    await arrive(incoming, name, FIRST)
    with pytest.raises(NotAsAnnounced, match="11 bytes were sent, and 12 were announced"):
        await incoming.take(name, 12, target)
    assert not target.exists()
    await incoming.discard([name])
    with pytest.raises(NotArrived):
        await incoming.take(name, len(FIRST), target)


async def test_what_is_never_finished_is_removed_once_it_is_older_than_its_url(
    incoming: IncomingContainer, tmp_path: Path
) -> None:
    over, waiting = announced(lasting=-100), announced()
    for name in (over, waiting):
        await arrive(incoming, name, FIRST)
    await incoming.take(waiting, len(FIRST), tmp_path / "copy")  # which may be left behind
    unfinished = Unfinished(incoming)
    assert await unfinished.sweep(time.time()) == 1
    assert await unfinished.sweep(time.time()) == 0
    with pytest.raises(NotArrived):
        await incoming.take(over, len(FIRST), tmp_path / "over")
    await incoming.take(waiting, len(FIRST), tmp_path / "there")
    copies = 0 if incoming.landing else 2
    assert await unfinished.sweep(time.time() + 2 * HOUR) == 1 + copies


async def test_a_sweep_leaves_what_others_have_put_there(swift: SwiftServer) -> None:
    settings = swift_settings(swift)
    async with started(settings) as store:
        assert store.incoming
        with contextlib.closing(client(swift.url)) as connection:
            connection.put_object(settings.incoming_container, "0000-notes.txt", b"ours")
            assert await store.incoming.sweep(time.time() + HOUR) == 0
            assert connection.get_object(settings.incoming_container, "0000-notes.txt")[1] == b"ours"


async def test_the_incoming_container_has_a_key_and_a_quota_of_its_own(swift: SwiftServer) -> None:
    settings = swift_settings(swift)
    async with started(settings) as store, started(settings) as other:
        assert store.incoming
        assert other.incoming
        assert await store.incoming.keys() == await other.incoming.keys()  # any node can finish
        with contextlib.closing(client(swift.url)) as connection:
            own, originals = (
                connection.head_container(one) for one in (settings.incoming_container, settings.container)
            )
        header = "x-container-meta-temp-url-key"
        assert list(await store.incoming.keys()) == [own[header]]
        assert own[header] != originals[header]
        assert own["x-container-meta-quota-bytes"] == "1000000"


async def test_a_url_that_follows_another_asks_swift_nothing_and_opens_its_name(swift: SwiftServer) -> None:
    async with started(swift_settings(swift)) as store, httpx.AsyncClient(trust_env=False, timeout=PATIENCE) as http:
        assert store.incoming
        await store.incoming.put_url(announced(), int(time.time()) + HOUR)
        before = store.pool.calls
        url = await store.incoming.put_url(announced(), int(time.time()) + HOUR)
        assert store.pool.calls == before
        assert (await http.put(url.url, content=FIRST)).status_code == 201


async def test_a_key_counts_as_proved_for_a_while(swift: SwiftServer, monkeypatch: pytest.MonkeyPatch) -> None:
    async with started(swift_settings(swift)) as store:
        assert store.incoming
        await store.incoming.put_url(announced(), int(time.time()) + HOUR)
        before, later = store.pool.calls, time.monotonic() + temp_url.PROVED
        monkeypatch.setattr(temp_url, "time", SimpleNamespace(monotonic=lambda: later, time=time.time))
        await store.incoming.put_url(announced(), int(time.time()) + HOUR)
        assert store.pool.calls > before


async def test_a_url_opens_one_name_for_put_alone(swift: SwiftServer) -> None:
    settings = swift_settings(swift)
    async with started(settings) as store, httpx.AsyncClient(trust_env=False, timeout=PATIENCE) as http:
        assert store.incoming
        name = announced()
        url = (await store.incoming.put_url(name, int(time.time()) + HOUR)).url
        parts = urlsplit(url)
        assert (await http.put(url, content=FIRST)).status_code == 201
        assert (await http.get(url)).status_code == 401
        assert (await http.delete(url)).status_code == 401
        assert (await http.put(url.replace(name, announced()), content=FIRST)).status_code == 401
        elsewhere = url.replace(settings.incoming_container, settings.container)
        assert (await http.put(elsewhere, content=FIRST)).status_code == 401
        assert parts.path.endswith(f"/{settings.incoming_container}/{name}")


async def test_a_copy_of_other_bytes_than_were_verified_is_not_stored(swift: SwiftServer, tmp_path: Path) -> None:
    settings, source = swift_settings(swift), tmp_path / "verified"
    source.write_bytes(FIRST)
    new = NewObject("cat.jpg", source, "image/jpeg", hashlib.md5(FIRST).hexdigest(), copy_of="IN/other")
    async with started(settings) as store:
        with contextlib.closing(client(swift.url)) as connection:
            connection.put_object(settings.incoming_container, "other", SECOND)
        for name, error in (("other", Corrupt), ("gone", NotArrived)):
            with pytest.raises(error):
                await store.originals.put(replaced(new, f"{settings.incoming_container}/{name}"))
            with pytest.raises(NotFound):
                await store.originals.stat("cat.jpg")


def replaced(new: NewObject, copy_of: str) -> NewObject:
    return NewObject(new.name, new.source, new.content_type, new.md5, copy_of=copy_of)


def test_an_upload_that_one_node_began_another_finishes(swift: SwiftServer, tmp_path: Path) -> None:
    options = swift_options(swift)
    plain = {"store": {"kind": "swift", "swift": dict(options["store"]["swift"])}}
    options["store"]["swift"]["incoming_container"] = f"incoming-{uuid.uuid4().hex}"
    with running_gateway(tmp_path / "a", options) as one, running_gateway(tmp_path / "b", options) as other:
        upload = sent(one.api, "cat.jpg", CAT)
        assert other.api.post(upload["finish"]).status_code == 201
        assert other.api.get("/images/cat.jpg", params={"original": "true"}).content == CAT
    with running_gateway(tmp_path / "c", plain) as without:
        refused = begin(without.api, "cat.jpg", CAT)
        assert code(refused) == (501, "no-direct-uploads")
        assert "store.swift.incoming_container" in refused.json()["detail"]
