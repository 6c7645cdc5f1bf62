"""Shared links: what the web adds to them is dropped on the public port, and only there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gateway.access import sign
from tests import images
from tests.gateways import Gateway, running_gateway

KEY = "a key that signs links"
TRACKED = "utm_source=mail&utm_campaign=50%&fbclid=x.y&gclid=1&_=1700000000000"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with running_gateway(tmp_path_factory.mktemp("shared")) as running:
        assert running.upload("cat.jpg", images.jpeg()).status_code == 201
        yield running


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    options = {"public": {"access": "signed", "keys": {"k": KEY}}}
    with running_gateway(tmp_path_factory.mktemp("signed"), options) as running:
        assert running.upload("cat.jpg", images.jpeg()).status_code == 201
        yield running


def test_a_shared_link_is_the_same_image_and_the_same_file(gateway: Gateway) -> None:
    name = "/images/cat.jpg/@w=31.webp"
    made = gateway.public.get(f"{name}?{TRACKED}")
    assert (made.status_code, made.headers["X-Cache"]) == (200, "MISS")
    for spelling in (name, f"{name}?{TRACKED}", f"/images/cat.jpg?w=31&format=webp&{TRACKED}"):
        found = gateway.public.get(spelling)
        assert (found.headers["X-Cache"], found.headers["ETag"]) == ("HIT-DISK", made.headers["ETag"])
        assert found.headers["Cache-Control"] == made.headers["Cache-Control"]
        assert found.content == made.content
    assert [path.name for path in (gateway.derived / "cat.jpg").glob("*w=31*")] == ["@w=31.webp"]


def test_a_key_that_is_merely_unknown_is_refused(gateway: Gateway) -> None:
    refused = gateway.public.get(f"/images/cat.jpg?ref=mail&{TRACKED}")
    assert refused.status_code == 400
    assert refused.json()["detail"].startswith("ref: no such operation")


def test_the_api_drops_nothing(gateway: Gateway) -> None:
    refused = gateway.api.get("/images/cat.jpg?w=31&utm_source=mail")
    assert refused.status_code == 400
    assert refused.json()["detail"].startswith("utm_source: no such operation")


def test_a_signature_holds_whatever_is_dropped_beside_it(signed: Gateway) -> None:
    signature = sign("cat.jpg/@w=32.webp", KEY)
    for asked in ("cat.jpg/@w=32.webp?", "cat.jpg?w=32&format=webp&"):
        for query in (f"sig=k.{signature}&{TRACKED}", f"{TRACKED}&sig=k.{signature}"):
            assert signed.public.get(f"/images/{asked}{query}").status_code == 200
        assert signed.public.get(f"/images/{asked}{TRACKED}").status_code == 401
        assert signed.public.get(f"/images/{asked}sig=k.{signature[:-1]}&{TRACKED}").status_code == 403
