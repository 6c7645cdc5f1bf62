"""Negotiated formats: the Accept header decides, every answer has Vary, and nginx answers hits by itself."""

from __future__ import annotations

import time

import numpy as np
import pytest

from tests import images
from tests.gateways import Gateway

pytestmark = pytest.mark.parametrize("store_kind", ["directory", "swift"], indirect=True, scope="module")


@pytest.fixture(scope="module", autouse=True)
def cat(gateway: Gateway) -> None:
    assert gateway.upload("photos/cat.jpg", images.jpeg(images.photo(640, 480))).status_code == 201


def test_auto_follows_accept_and_says_so(gateway: Gateway) -> None:
    name = "/images/photos/cat.jpg/@w=64.auto"
    for accept, content_type in (
        ("image/webp,*/*;q=0.8", "image/webp"),
        ("image/jxl,image/avif,image/webp,*/*;q=0.8", "image/jxl"),
        ("image/*,*/*;q=0.8", "image/jpeg"),
        ("image/webp;q=0,image/*", "image/jpeg"),
    ):
        for _ in ("made", "hit"):
            answered = gateway.public.get(name, headers={"Accept": accept})
            assert answered.headers["Content-Type"] == content_type
            assert answered.headers.get_list("Vary") == ["Accept"]


def test_a_negotiated_hit_needs_no_service_in_any_bucket(gateway: Gateway) -> None:
    name, accepts = "/images/photos/cat.jpg/@w=65.auto", ("image/jxl", "image/avif", "image/webp", "*/*")
    made = [gateway.public.get(name, headers={"Accept": accept}) for accept in accepts]
    gateway.stop_service()
    try:
        again = [gateway.public.get(name, headers={"Accept": accept}) for accept in accepts]
    finally:
        gateway.continue_service()
    assert [one.content for one in again] == [one.content for one in made]
    assert [one.headers["X-Cache"] for one in again] == ["HIT-DISK"] * 4


def test_a_whole_jpeg_is_answered_as_a_jpeg_xl_that_gives_it_back(gateway: Gateway) -> None:
    for client in (gateway.public, gateway.public, gateway.api):
        answered = client.get("/images/photos/cat.jpg/@full.auto", headers={"Accept": "image/jxl,image/webp,*/*"})
        assert answered.headers["Content-Type"] == "image/jxl"
        assert images.jpeg_of_jxl(answered.content) == client.get("/images/photos/cat.jpg/@full.jpg").content


def test_an_original_in_jpeg_xl_is_taken_and_told_of(gateway: Gateway) -> None:
    assert gateway.upload("photos/cat.jxl", images.jxl(images.photo(64, 48))).status_code == 201
    assert gateway.public.get("/images/photos/cat.jxl/@w=20.jpg").headers["Content-Type"] == "image/jpeg"
    assert gateway.public.get("/images/photos/cat.jxl").headers["Content-Type"] == "image/jxl"
    untouched = gateway.api.get("/images/photos/cat.jxl", params={"original": "true"})
    assert untouched.headers["Content-Type"] == "image/jxl"


def test_a_better_format_of_the_whole_image_is_never_larger_than_the_image_was(gateway: Gateway) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (240, 320, 3), dtype=np.uint8)
    poor, rich = images.jpeg(noise, quality=10), images.png(images.photo(320, 240))
    for name, data, kind in (("poor.jpg", poor, "image/jpeg"), ("rich.png", rich, "image/webp")):
        assert gateway.upload(name, data).status_code == 201
        answers = [gateway.public.get(f"/images/{name}/@full.auto", headers={"Accept": "image/webp"}) for _ in range(2)]
        answers.append(gateway.api.get(f"/images/{name}/@full.auto", headers={"Accept": "image/webp"}))
        assert [one.headers["Content-Type"] for one in answers] == [kind] * 3
        assert len(answers[0].content) <= len(data)
        assert gateway.public.get(f"/images/{name}/@full.webp").headers["Content-Type"] == "image/webp"
        time.sleep(1.1)  # nginx believes a marker for a second
        hit = gateway.public.get(f"/images/{name}/@full.auto", headers={"Accept": "image/webp"})
        assert (hit.headers["X-Cache"], hit.headers["Content-Type"]) == ("HIT-DISK", kind)


def test_every_answer_to_a_negotiated_name_varies_by_accept(gateway: Gateway) -> None:
    cat, nobody = "/images/photos/cat.jpg/@w=66.auto", "/images/nobody.jpg/@w=66.auto"
    etag = gateway.public.get(cat).headers["ETag"]
    asked: list[tuple[str, dict[str, str], int]] = [
        (cat, {}, 200),
        (cat, {"Range": "bytes=0-9"}, 206),
        (cat, {"If-None-Match": etag}, 304),
        (cat, {"If-Match": '"other"'}, 412),
        (cat, {"Range": "bytes=9999999-"}, 416),
        (nobody, {}, 404),
    ]
    for client in (gateway.public, gateway.api):
        for name, headers, status in asked:
            answered = client.get(name, headers={"Accept": "*/*", **headers})
            varies = "Accept" if status < 400 else "Sec-Fetch-Dest, Accept"  # an error is a page for who navigates
            assert (answered.status_code, answered.headers.get_list("Vary")) == (status, [varies]), (name, headers)
            assert all(len(answered.headers.get_list(key)) == 1 for key in answered.headers), (name, headers)
    assert "Vary" not in gateway.public.get("/images/photos/cat.jpg/@w=66.png").headers


def test_a_condition_that_fails_ends_the_connection_and_says_so(gateway: Gateway) -> None:
    cat = "/images/photos/cat.jpg/@w=66.png"
    assert gateway.public.get(cat).headers["Connection"] == "keep-alive"
    for _ in range(50):  # a client that is not told meets the end of the connection with its next request
        refused = gateway.public.get(cat, headers={"If-Match": '"other"'})
        assert (refused.status_code, refused.headers["Connection"]) == (412, "close")
        assert gateway.public.get(cat, headers={"Range": "bytes=9999999-"}).status_code == 416
