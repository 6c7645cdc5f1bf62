"""The requests that each provider documents, as a stand-in gets them."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from gateway.outbox_settings import Cdn
from service.outbox.cdn import MOST_BYTES, cdn_senders, groups
from service.outbox.change import Change, Message
from service.outbox.sending import Client, SendFailed
from service.store.directory.settings import DirectorySettings
from service.store.directory.store import DirectoryStore
from tests.outbox.receivers import Received, Receiver, receiving

TOKEN = "the-token"
ONE = Change("replaced", ("pets/köter, 1.png",))
TAG = "pets/k%C3%B6ter%2C%201.png"
SEVERAL = Change("purged", tuple(f"{number}.png" for number in range(300)))
ALL = Change("purged", prefix="")


async def sent(tmp_path: Path, change: Change, receiver: Receiver, **options: Any) -> list[Received]:
    """What a receiver gets of a change, of images that are files below `tmp_path`."""
    store = DirectoryStore(DirectorySettings(tmp_path / "store", tmp_path / "derived", home=tmp_path))
    await store.start()
    client = Client()
    cdn = Cdn.model_validate({"urls": [receiver.url], **options})
    try:
        for sender in cdn_senders(cdn, store.originals, client):
            if sender.wants(change.kind):
                await sender.send(Message("id", change))
    finally:
        await client.close()
        await store.close()
    return list(receiver.received)


async def test_fastly_gets_surrogate_keys(tmp_path: Path) -> None:
    with receiving() as receiver:
        options = {"kind": "fastly", "service": "SU1Z0isxPaozGVKXdv0eY", "token": TOKEN}
        (one,) = await sent(tmp_path, ONE, receiver, **options)
        receiver.received = []
        (soft,) = await sent(tmp_path, ONE, receiver, **options, soft=True)
        receiver.received = []
        (everything,) = await sent(tmp_path, ALL, receiver, **options)
        receiver.received = []
        parts = await sent(tmp_path, SEVERAL, receiver, **options)
    assert (one.method, one.path) == ("POST", "/service/SU1Z0isxPaozGVKXdv0eY/purge")
    assert one.headers["fastly-key"] == TOKEN
    assert one.headers["surrogate-key"] == TAG
    assert "fastly-soft-purge" not in one.headers
    assert soft.headers["fastly-soft-purge"] == "1"
    assert (everything.method, everything.path) == ("POST", "/service/SU1Z0isxPaozGVKXdv0eY/purge_all")
    keys = [part.headers["surrogate-key"].split(" ") for part in parts]
    assert [len(some) for some in keys] == [256, 44]
    assert list(itertools.chain(*keys)) == list(SEVERAL.names)


async def test_cloudflare_gets_tags(tmp_path: Path) -> None:
    with receiving() as receiver:
        receiver.answer = b'{"success": true, "errors": [], "result": {"id": "023e105f4ecef8ad9ca31a8372d0c353"}}'
        options = {"kind": "cloudflare", "zone": "023e105f4ecef8ad9ca31a8372d0c353", "token": TOKEN}
        (one,) = await sent(tmp_path, ONE, receiver, **options)
        receiver.received = []
        (everything,) = await sent(tmp_path, ALL, receiver, **options)
        receiver.received = []
        parts = await sent(tmp_path, SEVERAL, receiver, **options)
        receiver.answer = b'{"success": false, "errors": [{"code": 1012, "message": "no"}]}'
        with pytest.raises(SendFailed):
            await sent(tmp_path, ONE, receiver, **options)
    assert (one.method, one.path) == ("POST", "/zones/023e105f4ecef8ad9ca31a8372d0c353/purge_cache")
    assert one.headers["authorization"] == f"Bearer {TOKEN}"
    assert one.headers["content-type"] == "application/json"
    assert json.loads(one.body) == {"tags": [TAG]}
    assert json.loads(everything.body) == {"purge_everything": True}
    assert [len(json.loads(part.body)["tags"]) for part in parts] == [30] * 10


async def test_http_gets_json(tmp_path: Path) -> None:
    with receiving() as receiver:
        (one,) = await sent(tmp_path, ONE, receiver, kind="http", token=TOKEN)
        receiver.received = []
        (everything,) = await sent(tmp_path, ALL, receiver, kind="http")
    assert (one.method, json.loads(one.body)) == ("POST", {"tags": [TAG]})
    assert one.headers["authorization"] == f"Bearer {TOKEN}"
    assert json.loads(everything.body) == {"all": True}
    assert "authorization" not in everything.headers


async def test_what_is_deleted_is_never_only_marked_as_stale(tmp_path: Path) -> None:
    options = {"kind": "fastly", "service": "SU1Z0isxPaozGVKXdv0eY", "token": TOKEN, "soft": True}
    with receiving() as receiver:
        (deleted,) = await sent(tmp_path, Change("deleted", ("a.png",)), receiver, **options)
    assert "fastly-soft-purge" not in deleted.headers


async def test_an_answer_that_comes_in_pieces_is_read_whole_and_is_not_compressed(tmp_path: Path) -> None:
    with receiving() as receiver:
        receiver.answer = b'{"success": true, "errors": []}' + b" " * 50_000
        (one,) = await sent(
            tmp_path, ONE, receiver, kind="cloudflare", zone="023e105f4ecef8ad9ca31a8372d0c353", token=TOKEN
        )
    assert one.headers["accept-encoding"] == "identity"


async def test_a_created_image_is_news_to_no_cdn(tmp_path: Path) -> None:
    with receiving() as receiver:
        assert await sent(tmp_path, Change("created", ("a.png",)), receiver, kind="http") == []


async def test_a_prefix_is_the_folders_that_begin_with_it_and_the_images_of_one_more(tmp_path: Path) -> None:
    for name in ("f/a.png", "f/deep/b.png", "f/deep/c.png", "f/deep/er/d.png", "fa.png", "other.png"):
        file = tmp_path / "store" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"\x89PNG")
    with receiving() as receiver:
        wanted: dict[str, list[str]] = {
            "f/": ["f/", "f/deep/", "f/deep/er/"],
            "f": ["f/", "f/deep/", "f/deep/er/", "fa.png"],
            "f/d": ["f/deep/", "f/deep/er/"],
            "f/deep/b": ["f/deep/b.png"],
            "f/gone/": ["f/gone/"],
        }
        for prefix, tags in wanted.items():
            receiver.received = []
            (one,) = await sent(tmp_path, Change("purged", prefix=prefix), receiver, kind="http")
            assert sorted(json.loads(one.body)["tags"]) == tags


@pytest.mark.parametrize("tags", [[], ["a"], ["a" * 1024] * 9, ["b" * 10] * 1000, ["c" * MOST_BYTES, "d"]])
def test_groups_of_tags_fit_into_a_header(tags: Sequence[str]) -> None:
    found = list(groups(tags, 256))
    assert list(itertools.chain(*found)) == list(tags)
    assert all(len(group) <= 256 and (len(group) == 1 or len(" ".join(group)) <= MOST_BYTES) for group in found)


async def test_no_answer_in_time_is_a_failure_whose_text_has_no_secret(tmp_path: Path) -> None:
    with receiving() as receiver:
        receiver.stuck = True
        with pytest.raises(SendFailed, match=r"^no answer within 0.1 s$"):
            await sent(tmp_path, ONE, receiver, kind="http", token=TOKEN, timeout=0.1)
        receiver.ended.set()
    await asyncio.sleep(0)
    with pytest.raises(SendFailed) as failed:
        await sent(tmp_path, ONE, receiver, kind="http", token=TOKEN)
    assert TOKEN not in str(failed.value)
