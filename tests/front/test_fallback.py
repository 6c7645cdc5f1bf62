"""A picture in place of an error, where a browser expects an image, and a problem as ever for everybody else."""

from __future__ import annotations

import io
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image

from gateway.settings import Config
from service.cli.check import pages
from service.runtime.configuration import read_config
from service.runtime.paths import Paths, paths_of
from tests import images
from tests.gateways import Gateway, running_gateway

IMG = {"Accept": "image/avif,image/webp,image/png,image/*;q=0.8,*/*;q=0.5"}  # of <img> in browsers
MISSING = images.jpeg(np.full((300, 400, 3), (200, 30, 30), np.uint8), quality=95)
VARY = "Sec-Fetch-Dest, Accept"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    fallback = {"image": "site/missing.jpg", "for": [404, 422], "max_age": "20s"}
    options = {
        "public": {"fallback": fallback, "cache_tags": {"header": "xkey"}},
        "dialects": {"imgproxy": {"prefix": "/imgproxy"}, "iiif": {"prefix": "/iiif/3"}},
    }
    with running_gateway(tmp_path_factory.mktemp("fallback"), options) as running:
        yield running


@pytest.fixture(autouse=True)
def missing(gateway: Gateway) -> None:
    assert gateway.upload("site/missing.jpg", MISSING, replace="true").status_code == 201


def fallbacks(gateway: Gateway, status: int) -> float:
    text = gateway.api.get("/metrics").text
    return float(text.partition(f'image_gateway_fallbacks_total{{status="{status}"}} ')[2].partition("\n")[0])


@pytest.mark.parametrize(
    ("asked", "size", "kind"),
    [
        ("none.jpg/@w=120,h=80,fit=cover.png", (120, 80), "PNG"),
        ("none.jpg/@w=120,h=80,fit=pad.webp", (120, 80), "WEBP"),
        ("none.jpg/@w=200,blur=3,crop=900:900:90:90.jpg", (200, 150), "JPEG"),
        ("none.jpg/@w=800.jpg", (800, 600), "JPEG"),
        ("none.jpg/@thumbnail.png", (50, 38), "PNG"),
        ("none.jpg?w=160&format=auto", (160, 120), "AVIF"),
        ("none.jpg?h=60", (80, 60), "JPEG"),
        ("none.jpg", (400, 300), "JPEG"),
    ],
)
def test_an_image_that_is_missing_is_shown_in_the_asked_size(
    gateway: Gateway, asked: str, size: tuple[int, int], kind: str
) -> None:
    before = fallbacks(gateway, 404)
    shown = gateway.public.get(f"/images/{asked}", headers=IMG)
    image = Image.open(io.BytesIO(shown.content))
    assert (shown.status_code, image.size, image.format) == (404, size, kind)
    assert shown.headers["Content-Type"] == f"image/{kind.lower()}"
    assert shown.headers["Cache-Control"] == "public, max-age=20"
    assert shown.headers["Vary"] == VARY
    assert shown.headers["xkey"] == "none.jpg /"
    assert shown.headers["X-Content-Type-Options"] == "nosniff"
    assert fallbacks(gateway, 404) == before + 1


@pytest.mark.parametrize(
    ("headers", "is_image"),
    [
        ({"Sec-Fetch-Dest": "image", "Accept": "*/*"}, True),
        ({"Sec-Fetch-Dest": "image", "Accept": "text/html"}, True),
        ({"Sec-Fetch-Dest": "document", "Accept": "image/avif,*/*"}, False),
        ({"Sec-Fetch-Dest": "empty", "Accept": "image/webp"}, False),
        ({"Accept": "image/png"}, True),
        ({"Accept": "IMAGE/png"}, True),
        ({"Accept": "text/html,image/webp"}, False),
        ({"Accept": "*/*"}, False),
        ({"Accept": ""}, False),
    ],
)
def test_an_image_is_shown_only_where_one_is_expected(
    gateway: Gateway, headers: dict[str, str], is_image: bool
) -> None:
    answer = gateway.public.get("/images/none.jpg/@w=60.png", headers=headers)
    assert answer.status_code == 404
    assert answer.headers["Content-Type"].startswith("image/") == is_image
    assert answer.headers["Vary"] == VARY
    assert answer.headers["Cache-Control"] == ("public, max-age=20" if is_image else "no-store")


def test_an_image_that_cannot_be_made_is_replaced_too(gateway: Gateway) -> None:
    assert gateway.upload("noise.jpg", images.jpeg(images.photo(640, 480))).status_code == 201
    for headers, kind in ((IMG, "image/jpeg"), ({"Accept": "*/*"}, "application/problem+json")):
        answer = gateway.public.get("/images/noise.jpg/@w=600,mb=100.jpg", headers=headers)
        assert (answer.status_code, answer.headers["Content-Type"], answer.headers["Vary"]) == (422, kind, VARY)
        assert kind == "image/jpeg" or answer.json()["type"].endswith(":unsatisfiable")


def test_a_head_has_the_headers_alone(gateway: Gateway) -> None:
    answer = gateway.public.head("/images/none.jpg/@w=60.png", headers=IMG)
    assert (answer.status_code, answer.headers["Content-Type"], answer.content) == (404, "image/png", b"")


@pytest.mark.parametrize("path", ["none.jpg/@w=0.png", "none.jpg/@meta.json", "none.jpg/@w=60.png?url=1"])
def test_other_errors_are_problems(gateway: Gateway, path: str) -> None:
    answer = gateway.public.get(f"/images/{path}", headers=IMG)
    assert answer.status_code in (400, 403)
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_the_api_never_shows_it(gateway: Gateway) -> None:
    answer = gateway.api.get("/images/none.jpg/@w=60.png", headers={**IMG, "Sec-Fetch-Dest": "image"})
    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["Vary"] == VARY  # of every error: for a browser that navigates it is a page


def test_a_url_of_another_dialect_shows_it_too(gateway: Gateway) -> None:
    answer = gateway.public.get("/imgproxy/unsafe/w:50/plain/local:///none.jpg@png", headers=IMG)
    assert (answer.status_code, answer.headers["Content-Type"]) == (404, "image/png")
    assert Image.open(io.BytesIO(answer.content)).size == (50, 38)


def test_a_dialect_that_needs_the_original_s_shape_shows_it_in_its_own_size(gateway: Gateway) -> None:
    answer = gateway.public.get("/iiif/3/none.jpg/full/60,/0/default.jpg", headers=IMG)
    assert (answer.status_code, answer.headers["Content-Type"]) == (404, "image/avif")
    assert Image.open(io.BytesIO(answer.content)).size == (400, 300)
    info = gateway.public.get("/iiif/3/none.jpg/info.json", headers={"Accept": "application/ld+json"})
    assert (info.status_code, "image" in info.headers["Content-Type"]) == (404, False)


def test_images_that_are_there_are_as_before(gateway: Gateway) -> None:
    assert gateway.upload("cat.jpg", images.jpeg(images.photo(64, 48))).status_code == 201
    for _ in range(2):
        answer = gateway.public.get("/images/cat.jpg/@w=60.png", headers=IMG)
        assert answer.status_code == 200
        assert "Vary" not in answer.headers


def test_a_check_notes_an_image_that_is_not_in_the_store(gateway: Gateway) -> None:
    looked = list(pages.fallback(*config_of(gateway)))
    assert looked == []
    assert gateway.api.delete("/images/site/missing.jpg").status_code == 204
    (found,) = pages.fallback(*config_of(gateway))
    assert str(found).startswith("note  public.fallback.image: site/missing.jpg is not in the store")


def config_of(gateway: Gateway) -> tuple[Config, Paths]:
    config, _ = read_config(gateway.root / "config.yaml")
    return config, paths_of(config)


def test_without_the_image_itself_there_is_the_problem(gateway: Gateway) -> None:
    assert gateway.api.delete("/images/site/missing.jpg").status_code == 204
    answer = gateway.public.get("/images/none.jpg/@w=61.png", headers=IMG)
    assert (answer.status_code, answer.headers["Content-Type"]) == (404, "application/problem+json")
    assert answer.headers["Cache-Control"] == "no-store"
    assert "public.fallback.image, site/missing.jpg, cannot be shown" in gateway.log
    itself = gateway.public.get("/images/site/missing.jpg/@w=62.png", headers=IMG)
    assert (itself.status_code, itself.headers["Content-Type"]) == (404, "application/problem+json")
