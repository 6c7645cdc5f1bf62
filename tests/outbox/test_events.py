"""Events of changes, as a receiver gets them from a whole gateway."""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from standardwebhooks import Webhook

from tests.conftest import swift_options
from tests.gateways import Gateway, running_gateway
from tests.outbox.boxes import SECRET, in_folder, in_swift, metric
from tests.outbox.receivers import Received, Receiver, receiving
from tests.waiting import until

pytestmark = pytest.mark.parametrize("store_kind", ["directory", "swift"], indirect=True, scope="module")

OTHER_SECRET = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"


@dataclass(frozen=True)
class Told:
    """A gateway, a receiver of all changes, and one that hears of deletions only."""

    gateway: Gateway
    all: Receiver
    deletions: Receiver
    outbox: Path | None
    swift_url: str
    options: dict[str, object]

    def lying(self, part: str) -> list[str]:
        if self.outbox:
            return in_folder(self.outbox, part)
        return in_swift(self.swift_url, self.options, part)


@pytest.fixture(scope="module")
def told(store_kind: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    root = tmp_path_factory.mktemp("told")
    swift = request.getfixturevalue("swift") if store_kind == "swift" else None
    with receiving() as every, receiving() as deletions:
        options = swift_options(swift) if swift else {}
        events = [
            {"url": f"{every.url}/hook?secret=path", "secret": SECRET},
            {"url": deletions.url, "secret": OTHER_SECRET, "secret_2": SECRET, "kinds": ["deleted"]},
        ]
        with running_gateway(root, {**options, "events": events}) as gateway:
            outbox = None if swift else root / "var/outbox"
            yield Told(gateway, every, deletions, outbox, swift.url if swift else "", options)


def verified(received: Received, secret: str = SECRET) -> dict[str, object]:
    """The event, checked by the specification's own library."""
    document = Webhook(secret).verify(received.body, received.headers)
    assert isinstance(document, dict)
    return document


def test_each_change_is_told_once_with_what_was_changed(told: Told, dog: bytes, cat: bytes) -> None:
    gateway = told.gateway
    assert gateway.upload("pets/dog, 1.png", dog).status_code == 201
    (created,) = told.all.take(1)
    assert gateway.upload("pets/dog, 1.png", cat, replace="true").status_code == 201
    (replaced,) = told.all.take(1)
    assert gateway.api.delete("/images/pets/dog, 1.png/@").status_code == 204
    (purged,) = told.all.take(1)
    assert gateway.api.delete("/images/pets/dog, 1.png").status_code == 204
    (deleted,) = told.all.take(1)
    events = [verified(one) for one in (created, replaced, purged, deleted)]
    assert [event["type"] for event in events] == ["image.created", "image.replaced", "image.purged", "image.deleted"]
    content = [
        {"bytes": len(data), "md5": hashlib.md5(data).hexdigest(), "sha256": hashlib.sha256(data).hexdigest()}
        for data in (dog, cat)
    ]
    of_image = {"name": "pets/dog, 1.png"}
    typed = {"content_type": "image/png"}
    assert [event["data"] for event in events] == [
        {**of_image, **typed, **content[0]},
        {**of_image, **typed, **content[1]},
        of_image,
        of_image,
    ]
    assert created.path == "/hook?secret=path"
    (only,) = told.deletions.take(1)
    assert verified(only) == verified(only, OTHER_SECRET) == events[3]
    until(lambda: told.lying("outbox") == [])
    assert told.all.received == told.deletions.received == []


def test_a_purge_of_many_is_one_event(told: Told) -> None:
    gateway = told.gateway
    for body in ({"names": ["a.png", "b.png"]}, {"prefix": "pets/"}, {"all": True}):
        assert gateway.api.post("/purge", json=body).status_code == 200
        (received,) = told.all.take(1)
        assert verified(received)["data"] == body


def test_what_was_not_changed_is_not_told(told: Told, dog: bytes) -> None:
    gateway = told.gateway
    assert gateway.upload("once.png", dog).status_code == 201
    assert gateway.upload("once.png", dog).status_code == 409
    assert gateway.upload("text.png", b"no image").status_code == 415
    assert gateway.api.delete("/images/none.png").status_code == 404
    assert gateway.api.delete("/images/once.png").status_code == 204
    events = [verified(one) for one in told.all.take(2)]
    assert {event["type"] for event in events} == {"image.created", "image.deleted"}
    told.deletions.take(1)
    until(lambda: told.lying("outbox") == [])
    assert told.all.received == []


def test_a_message_that_is_not_taken_is_sent_again_with_its_id(told: Told, dog: bytes) -> None:
    failures = metric(told.gateway, "failures_total", "events")
    delivered = metric(told.gateway, "delivered_total", "events")
    told.all.statuses = [500, 0, 307]
    told.all.more = {"Location": f"{told.deletions.url}/elsewhere"}
    assert told.gateway.upload("again.png", dog).status_code == 201
    attempts = told.all.take(4)
    told.all.more = {}
    assert len({one.headers["webhook-id"] for one in attempts}) == 1
    assert len({one.body for one in attempts}) == 1
    assert [verified(one)["type"] for one in attempts] == ["image.created"] * 4
    until(lambda: metric(told.gateway, "delivered_total", "events") == delivered + 1)
    assert metric(told.gateway, "failures_total", "events") == failures + 3
    until(lambda: metric(told.gateway, "waiting", "events") == 0)
    assert metric(told.gateway, "oldest_seconds") == 0
    assert told.deletions.received == [], "a redirect is followed"


def test_a_receiver_that_is_slow_is_not_in_the_way_of_an_answer(told: Told, dog: bytes) -> None:
    told.all.stuck = True
    try:
        assert told.gateway.upload("behind.png", dog).status_code == 201
        until(lambda: metric(told.gateway, "waiting", "events") == 1)
        (waiting,) = told.lying("outbox")
        assert metric(told.gateway, "oldest_seconds") > 0
    finally:
        told.all.stuck = False
        told.all.ended.set()
    (received,) = told.all.take(1)
    assert received.headers["webhook-id"] == waiting


def test_a_receiver_that_is_gone_gets_no_more_of_a_message(told: Told, dog: bytes) -> None:
    told.all.statuses = [410]
    assert told.gateway.upload("unwanted.png", dog).status_code == 201
    (received,) = told.all.take(1)
    until(lambda: told.lying("dead") == [received.headers["webhook-id"]])
    until(lambda: told.lying("outbox") == [])
    until(lambda: metric(told.gateway, "dead_total", "events") == 1)  # counted and logged after it is gone
    until(lambda: re.search(r"is given up.*unwanted\.png", told.gateway.log))


def test_the_log_and_the_api_show_no_secret(told: Told) -> None:
    shown = told.gateway.log + told.gateway.api.get("/stats").text + told.gateway.api.get("/capabilities").text
    for secret in (SECRET, OTHER_SECRET, SECRET.removeprefix("whsec_"), "secret=path"):
        assert secret not in shown


def test_the_timestamp_is_that_of_the_attempt(told: Told, dog: bytes) -> None:
    before = int(time.time())
    assert told.gateway.upload("timed.png", dog).status_code == 201
    (received,) = told.all.take(1)
    assert before <= int(received.headers["webhook-timestamp"]) <= time.time()
    assert json.loads(received.body)["timestamp"].endswith("Z")
