"""How long browsers may keep an image: as configured, as its preset says, for ever where its URL has the version."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests import images
from tests.gateways import Gateway, running_gateway

USUAL, OWN, EVER = "public, max-age=600", "public, max-age=86400", "public, max-age=31536000, immutable"


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


def test_errors_are_never_kept(timed: Gateway) -> None:
    for client in (timed.public, timed.api):
        for path in ("nobody.jpg/@w=40.webp", "cat.jpg/@w=0.webp"):
            assert client.get(f"/images/{path}").headers["Cache-Control"] == "no-store"
