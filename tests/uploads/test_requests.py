"""What uploads ask of Swift: each request of them costs Swift and the service some milliseconds of CPU."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

import pytest

from service.uploads.early import SMALL
from tests import images
from tests.api import raw
from tests.conftest import swift_options
from tests.gateways import Gateway, running_gateway
from tests.swift.faults import FaultProxy
from tests.swift.server import SwiftServer
from tests.swift.stores import client
from tests.swift.test_gateway import proxy_before, through
from tests.uploads.direct import begin, begun, code, send, sent
from tests.waiting import until

CAT, DOG = (images.png(images.flat(80, 60, colour)) for colour in ((200, 40, 40), (40, 40, 200)))
PUT, JOURNAL = "PUT original", "PUT journal"


@dataclass(frozen=True)
class Counting:
    """A gateway on a Swift, and the requests that come there."""

    gateway: Gateway
    proxy: FaultProxy
    swift: SwiftServer
    container: str
    derived: str

    def asked(self) -> Counter[str]:
        """What was asked for objects since this was called last, and for the derived images of one, by method and
        kind. Background tasks list containers, and ask for no object."""
        lines = list(self.proxy.lines)
        self.proxy.lines.clear()
        kinds = {
            f"/{self.container}/": "original",
            f"/{self.container}-journal/": "journal",
            f"/{self.container}-incoming/": "incoming",
            f"/{self.derived}?": "derived",
            "?bulk-delete": "bulk",
        }
        return Counter(
            f"{line.split()[0]} {kind}"
            for line in lines
            for part, kind in kinds.items()
            if part in line and (kind != "derived" or "/%40" in line)
        )

    def store(self, name: str, data: bytes) -> None:
        """As another program or node does it, of which this one knows nothing."""
        with closing(client(self.swift.url)) as connection:
            connection.put_object(self.container, name, data, content_type="image/png")


@pytest.fixture(scope="module")
def counting(swift: SwiftServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Counting]:
    with proxy_before(swift.url) as proxy:
        options = swift_options(swift)
        names = options["store"]["swift"]
        options = through(options, proxy, incoming_container=f"{names['container']}-incoming", storage_url="")
        # So that a slow machine writes no entry twice, and nothing is looked through again meanwhile.
        options["cache"] = {"persist": "url", "journal_lag": "1h"}
        with running_gateway(tmp_path_factory.mktemp("counting"), options) as running:
            yield Counting(running, proxy, swift, names["container"], names["derived_container"])


def test_a_new_image_costs_its_put_and_an_entry_of_the_journal(counting: Counting) -> None:
    counting.asked()
    assert counting.gateway.upload("new.png", CAT).status_code == 201
    assert counting.asked() == {PUT: 1, JOURNAL: 1}
    assert counting.gateway.api.post("/images/", files={"file": ("form.png", CAT)}).status_code == 201
    assert counting.asked() == {PUT: 1, JOURNAL: 1}


def test_a_replacement_also_costs_a_question_and_a_listing_of_what_was_derived(counting: Counting) -> None:
    assert counting.gateway.upload("replaced.png", CAT).status_code == 201
    counting.asked()
    assert counting.gateway.upload("replaced.png", DOG, replace="true").status_code == 201
    assert counting.asked() == {"HEAD original": 1, PUT: 1, JOURNAL: 1, "GET derived": 1}


def test_an_upload_straight_to_swift_costs_nothing_to_begin_and_six_requests_to_finish(counting: Counting) -> None:
    warm = sent(counting.gateway.api, "straight/warm.png", CAT)  # has the key read and a URL tried
    assert counting.gateway.api.post(warm["finish"]).status_code == 201
    until(lambda: counting.asked()["POST bulk"])
    upload = begun(counting.gateway.api, "straight/new.png", CAT)
    assert counting.asked() == {}
    assert send(upload, CAT).status_code == 201
    counting.asked()
    assert counting.gateway.api.post(upload["finish"]).status_code == 201
    asked = counting.asked()
    until(lambda: asked.update(counting.asked()) or asked["POST bulk"])
    assert asked == {
        "PUT incoming": 1,  # the copy
        "GET incoming": 1,
        "HEAD original": 1,
        PUT: 1,
        JOURNAL: 1,
        "POST bulk": 1,  # behind the answer: the copy and what was sent
    }


def test_a_sender_that_waits_or_has_much_to_send_hears_at_once_that_a_name_is_taken(counting: Counting) -> None:
    counting.store("waits.png", CAT)
    counting.store("much.png", CAT)
    for path, headers in (
        ("/images/waits.png", {"Content_Length": len(CAT), "Expect": "100-continue"}),
        ("/images/much.png", {"Content_Length": SMALL + 1}),
    ):
        with raw.connection(counting.gateway) as opened:
            opened.sendall(raw.head("PUT", path, **headers))
            assert raw.answer_head(opened).startswith("HTTP/1.1 409 ")
    announced = {"name": "much.png", "bytes": SMALL + 1, "sha256": "0" * 64}
    assert code(counting.gateway.api.post("/uploads", json=announced)) == (409, "name-exists")


def test_a_taken_name_is_refused_by_swift_itself_and_after_that_each_name_is_asked_for_at_once(
    counting: Counting,
) -> None:
    for name in ("taken.png", "next.png"):
        counting.store(name, CAT)
    counting.asked()
    refused = counting.gateway.upload("taken.png", DOG)
    assert code(refused) == (409, "name-exists")
    assert counting.asked() == {PUT: 1}
    assert code(counting.gateway.upload("next.png", DOG)) == (409, "name-exists")
    assert counting.asked() == {"HEAD original": 1}
    assert code(begin(counting.gateway.api, "taken.png", CAT)) == (409, "name-exists")
