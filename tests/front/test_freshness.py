"""How long browsers may keep an image: as configured, as its preset says, for ever where its URL has the version."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from gateway.access import sign
from tests import images
from tests.gateways import Gateway, running_gateway

pytestmark = pytest.mark.slow

USUAL, OWN, EVER = "public, max-age=600", "public, max-age=86400", "public, max-age=31536000, immutable"

KEY = "a key that signs URLs"


@pytest.fixture(scope="module")
def timed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    options = {
        "public": {"max_age": "10m", "preset_max_age": {"thumbnail": "1d"}},
        "presets": {"thumbnail": "w=50,h=50,sharpen=0.5", "hero": "w=100"},
    }
    with running_gateway(tmp_path_factory.mktemp("timed"), options) as running:
        assert running.upload("cat.jpg", images.jpeg()).status_code == 201
        yield running


@pytest.mark.parametrize(
    ("request_path", "wanted"),
    [
        ("@w=40.webp", USUAL),
        ("?w=40&format=webp", USUAL),
        ("@hero.webp", USUAL),
        ("@thumbnail.webp", OWN),
        ("@w=50,h=50,sharpen=0.5.webp", OWN),
        ("?thumbnail=True&kind=png", OWN),
        ("@thumbnail.auto", OWN),
        ("@thumbnail,q=3.webp", USUAL),
    ],
)
def test_an_image_is_fresh_for_its_presets_time_or_the_usual(timed: Gateway, request_path: str, wanted: str) -> None:
    separator = "" if request_path.startswith("?") else "/"
    for client in (timed.public, timed.public, timed.api):
        answered = client.get(f"/images/cat.jpg{separator}{request_path}")
        assert (answered.status_code, answered.headers["Cache-Control"]) == (200, wanted)


def test_a_url_with_the_version_that_is_there_never_changes(timed: Gateway) -> None:
    stored = timed.upload("versioned.jpg", images.jpeg(images.flat(40, 40, (200, 0, 0)))).json()
    name, version = "/images/versioned.jpg/@w=20.png", stored["etag"]
    for client in (timed.public, timed.public, timed.api):
        assert client.get(name, params={"v": version}).headers["Cache-Control"] == EVER
        assert client.get(name, params={"v": "another"}).headers["Cache-Control"] == USUAL
        assert client.get(name).headers["Cache-Control"] == USUAL


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    options = {"public": {"access": "signed", "keys": {"k": KEY}}, "presets": {"small": "w=40"}}
    with running_gateway(tmp_path_factory.mktemp("signed"), options) as running:
        yield running


@pytest.mark.parametrize("format", ["webp", "auto"])
def test_a_signed_url_is_not_kept_beyond_its_end(signed: Gateway, format: str) -> None:
    version, name = signed.upload("cat.jpg", images.jpeg(), replace="true").json()["etag"], f"cat.jpg/@w=30.{format}"
    end = int(time.time()) + 300
    parameters = {"sig": f"k.{sign(name, KEY, end)}", "exp": str(end)}
    lives = []
    for versioned in ({}, {"v": version}, {}, {"v": version}):
        for client in (signed.public, signed.public, signed.api):
            answered = client.get(f"/images/{name}", params={**parameters, **versioned})
            control = answered.headers["Cache-Control"]
            assert answered.status_code == 200
            assert control.startswith("public, max-age=")
            lives.append(int(control.removeprefix("public, max-age=")))
            assert lives[-1] <= end - int(time.time()) + 1
        time.sleep(1.1)
    assert lives[0] - lives[-1] >= 3
    assert lives[-1] > 0


def test_a_signed_url_without_an_end_is_kept_as_any_other(signed: Gateway) -> None:
    version, name = signed.upload("dog.jpg", images.jpeg()).json()["etag"], "dog.jpg/@w=30.webp"
    parameters = {"sig": f"k.{sign(name, KEY)}"}
    for client in (signed.public, signed.public, signed.api):
        assert client.get(f"/images/{name}", params=parameters).headers["Cache-Control"] == "public, max-age=3600"
        assert client.get(f"/images/{name}", params={**parameters, "v": version}).headers["Cache-Control"] == EVER


def test_errors_are_never_kept(timed: Gateway) -> None:
    for client in (timed.public, timed.api):
        for path in ("nobody.jpg/@w=40.webp", "cat.jpg/@w=0.webp"):
            assert client.get(f"/images/{path}").headers["Cache-Control"] == "no-store"
