"""Links that name a version (`?v=`): never kept for ever with other bytes, and answered from disk where nobody can tell
whether there is a newer one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.originals import originals
from service.store.base import StoredObject
from service.store.errors import Unavailable
from tests import images
from tests.cache.nodes import Node, node
from tests.gateways import Gateway, running_gateway
from tests.supervise.test_standby import absent

pytestmark = pytest.mark.slow

USUAL, EVER = "public, max-age=3600", "public, max-age=31536000, immutable"
RED, BLUE = images.png(images.flat(40, 40, (200, 0, 0))), images.png(images.flat(40, 40, (0, 0, 200)))


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway that asks the store about what it serves in every request."""
    with running_gateway(tmp_path_factory.mktemp("own"), {"cache": {"revalidate": "1s"}}) as running:
        yield running


def upload(gateway: Gateway, name: str, data: bytes) -> str:
    """The version that is stored now."""
    stored = gateway.upload(name, data, replace="true")
    assert stored.status_code == 201
    return str(stored.json()["etag"])


def test_a_version_that_was_replaced_is_not_kept_for_ever_with_the_bytes_of_another(own: Gateway) -> None:
    name = "/images/replaced.png/@w=20.png"
    for _ in range(3):
        old = upload(own, "replaced.png", RED)
        assert own.public.get(name, params={"v": old}).headers["Cache-Control"] == EVER
        assert own.public.get(name, params={"v": old}).headers["Cache-Control"] == EVER
        new = upload(own, "replaced.png", BLUE)
        own.public.get(name)
        for client in (own.public, own.public, own.api):
            assert client.get(name, params={"v": old}).headers["Cache-Control"] == USUAL
            assert client.get(name, params={"v": new}).headers["Cache-Control"] == EVER


def test_any_version_is_answered_from_disk_while_the_store_is_away(own: Gateway) -> None:
    name, version = "/images/stored.png/@w=20.png", upload(own, "stored.png", RED)
    made = own.public.get(name)
    store = own.root / "var/store"
    store.rename(own.root / "away")
    try:
        time.sleep(1.1)  # what is known of the original is too old now
        for client in (own.public, own.public, own.api):
            for asked, control in (("older", USUAL), (version, EVER)):
                answered = client.get(name, params={"v": asked})
                assert (answered.status_code, answered.headers["Cache-Control"]) == (200, control)
                assert answered.content == made.content
    finally:
        (own.root / "away").rename(store)


@pytest.mark.parametrize("path", ["@w=20.png", "@w=20.auto", "?w=20&format=png"])
def test_any_version_is_answered_from_disk_while_the_service_does_not_answer(own: Gateway, path: str) -> None:
    name = "/images/frozen.png" + ("" if path.startswith("?") else "/") + path
    version = upload(own, "frozen.png", RED)
    made = own.public.get(name)
    separator = "&" if "?" in path else "?"
    own.stop_service()
    try:
        answered = own.public.get(f"{name}{separator}v=older")
        assert own.public.get(f"{name}{separator}v={version}").headers["Cache-Control"] == EVER
    finally:
        own.continue_service()
    assert (answered.status_code, answered.content, answered.headers["X-Cache"]) == (200, made.content, "HIT-DISK")
    assert answered.headers["Cache-Control"] == USUAL
    assert answered.headers["ETag"] == made.headers["ETag"]
    assert answered.headers.get_list("Vary") == made.headers.get_list("Vary")


def test_any_version_is_answered_from_disk_while_there_is_no_service(own: Gateway) -> None:
    """The one who stands in for it says that it is away, and nginx believes that for a while."""
    name = "/images/absent.png/@w=20.png"
    upload(own, "absent.png", RED)
    made = own.public.get(name)
    with absent(own):
        for _ in range(10):
            answered = own.public.get(name, params={"v": "older"})
            assert (answered.status_code, answered.content) == (200, made.content)
            assert "X-Relief" not in answered.headers
        assert own.public.get("/images/absent.png/@w=21.png", params={"v": "older"}).status_code == 503


async def test_a_node_that_never_reached_its_store_answers_any_version_of_what_it_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with node(tmp_path) as before:
        version = (await before.upload("a.png", RED)).headers["ETag"].strip('"')
        made = await before.api("a.png/@w=20.png")
    async with node(tmp_path, nginx=True) as after:
        after.context.originals._known.clear()
        ask_in_vain(after, monkeypatch)
        for asked in (version, "older"):
            for ask in (after.public, after.api):
                answered = await ask(f"a.png/@w=20.png?v={asked}")
                assert (answered.status, answered.body) == (200, made.body)
                assert asked == version or answered.headers["Cache-Control"] == USUAL


async def test_however_many_ask_for_a_version_that_is_not_known_the_store_is_asked_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with node(tmp_path) as one:
        await one.upload("a.png", RED)
        await one.api("a.png/@w=20.png")
        await asyncio.sleep(originals.REASK + 0.05)
        container, asked = one.context.store.originals, []
        stat = container.stat

        async def slow(name: str) -> StoredObject:
            asked.append(name)
            monkeypatch.setattr(originals, "REASK", 3600.0)  # a busy machine takes a while to let forty in
            await asyncio.sleep(0.2)
            return await stat(name)

        monkeypatch.setattr(container, "stat", slow)
        answers = await asyncio.gather(*(one.api(f"a.png/@w=20.png?v=junk{number}") for number in range(40)))
        assert {answer.status for answer in answers} == {200}
        assert asked == ["a.png"]


def ask_in_vain(one: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(name: str) -> StoredObject:
        raise Unavailable("the store is away")

    monkeypatch.setattr(one.context.store.originals, "stat", away)
