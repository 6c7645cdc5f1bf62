"""The limits of what the store holds, and presets that are made with each upload."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator

import pytest

from service.store.base import StoredObject, Usage
from service.uploads.quota import FRESH, Quota, QuotaReached
from tests import images
from tests.conftest import swift_options
from tests.gateways import Gateway, running_gateway
from tests.swift.stores import client
from tests.waiting import until

SMALL = images.png(images.flat(80, 60, (200, 40, 40)))
OTHER = images.png(images.flat(80, 60, (40, 40, 200)))
LARGE = images.png(images.photo(320, 240))
BYTES = 2 * len(LARGE) + len(SMALL)
PRESETS = {"thumb": {"recipe": "w=40,h=40", "eager": True}, "later": "w=30", "webp": {"recipe": "w=20", "eager": True}}


@pytest.fixture(scope="module")
def limited(
    store_kind: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    """A gateway for three images and BYTES, whose store holds one before it starts."""
    root = tmp_path_factory.mktemp("limited")
    options = {}
    if store_kind == "swift":
        swift = request.getfixturevalue("swift")
        options = swift_options(swift)
        with contextlib.closing(client(swift.url)) as connection:
            connection.put_object(options["store"]["swift"]["container"], "old.png", SMALL, content_type="image/png")
    else:
        (root / "var/store").mkdir(parents=True)
        (root / "var/store/old.png").write_bytes(SMALL)
        (root / "var/store/notes.txt").write_text("no image")
    limits = {"store_images": 3, "store_bytes": BYTES}
    with running_gateway(root, {**options, "limits": limits, "presets": PRESETS}) as gateway:
        yield gateway


@pytest.mark.parametrize("store_kind", ["directory", "swift"], indirect=True, scope="module")
def test_an_upload_beyond_a_limit_is_refused_and_the_limit_named(limited: Gateway) -> None:
    assert limited.upload("first.png", LARGE).status_code == 201
    assert limited.upload("second.png", SMALL).status_code == 201
    refused = limited.upload("third.png", SMALL)
    assert refused.status_code == 507
    assert refused.json()["type"] == "urn:image-gateway:problem:quota-reached"
    assert refused.json()["detail"].startswith("limits.store_images: the store may hold 3 images")
    taken = limited.api.post("/images/", files={"file": ("first.png", SMALL)})
    assert taken.status_code == 409, "that the name is taken is the reason, not that there is no room"
    assert limited.upload("second.png", LARGE, replace="true").status_code == 201, "a replacement takes no place"
    refused = limited.upload("old.png", LARGE, replace="true")
    assert refused.status_code == 507
    assert refused.json()["detail"].startswith(f"limits.store_bytes: the originals may take {BYTES} bytes together")
    assert limited.api.delete("/images/second.png").status_code == 204
    assert limited.upload("old.png", LARGE, replace="true").status_code == 201
    shown = limited.api.get("/metrics").text
    assert "\nimage_gateway_store_used_images 2.0\n" in shown
    assert f"\nimage_gateway_store_used_bytes {float(2 * len(LARGE))!r}\n" in shown


@pytest.mark.parametrize("store_kind", ["directory"], indirect=True, scope="module")
def test_eager_presets_are_there_before_anybody_asks(limited: Gateway) -> None:
    limited.api.delete("/images/first.png")
    assert limited.upload("eager.png", OTHER).status_code == 201
    until(lambda: "\nimage_gateway_eager_waiting 0.0\n" in limited.api.get("/metrics").text)
    cached = {preset: limited.public.get(f"/images/eager.png/@{preset}.png").headers["X-Cache"] for preset in PRESETS}
    assert cached == {"thumb": "HIT-DISK", "webp": "HIT-DISK", "later": "MISS"}


class Counted:
    """A container that answers with these counts, and how often it is asked."""

    def __init__(self, *usages: Usage) -> None:
        self.usages = list(usages)
        self.asked = 0

    async def usage(self) -> Usage:
        self.asked += 1
        return self.usages.pop(0)


async def test_a_count_is_asked_for_again_when_it_is_old(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("service.uploads.quota.time.monotonic", lambda: now)
    counted = Counted(Usage(10, 1), Usage(95, 3))
    quota = Quota(counted, 100, 0, remote=True)  # type: ignore[arg-type]  # it asks for nothing else
    async with quota.taking(None, 20):
        with pytest.raises(QuotaReached):
            await quota.check(None, 71)
    await quota.check(None, 70)
    with pytest.raises(QuotaReached):
        await quota.check(None, 71)
    quota.removed(StoredObject("a.png", 15, "etag", 0.0))
    await quota.check(None, 85)
    assert counted.asked == 1
    now += FRESH + 1
    with pytest.raises(QuotaReached):
        await quota.check(None, 6)
    await quota.check(None, 5)
    assert counted.asked == 2


async def test_an_upload_that_is_cancelled_takes_no_room() -> None:
    quota, begun = Quota(Counted(Usage(0, 0)), 100, 1, remote=True), asyncio.Event()  # type: ignore[arg-type]  # as above

    async def upload() -> None:
        async with quota.taking(None, 100):
            begun.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(upload())
    await begun.wait()
    with pytest.raises(QuotaReached):
        await quota.check(None, 1)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await quota.check(None, 100)
    assert quota.usage == Usage(0, 0)


async def test_an_upload_that_fails_takes_no_room() -> None:
    quota = Quota(Counted(Usage(0, 0)), 100, 1, remote=True)  # type: ignore[arg-type]  # as above
    with contextlib.suppress(ConnectionError):
        async with quota.taking(None, 100):
            raise ConnectionError
    await quota.check(None, 100)
