"""nginx remembers what a dialect's URL meant: later requests need no Python, and the memory is bounded."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests import images
from tests.evicting import evicting
from tests.gateways import Gateway
from tests.waiting import until

BASE = "/iiif/3/memory%2Fcat.jpg"


@pytest.fixture(scope="module", autouse=True)
def _image(gateway: Gateway) -> None:
    assert gateway.upload("memory/cat.jpg", images.jpeg(images.photo(640, 480))).status_code == 201


def asked_the_service(gateway: Gateway, path: str) -> bool:
    """Whether the service had a part in the answer: only then it bears the service's id of the request."""
    answer = gateway.public.get(path)
    assert answer.status_code == 200, answer.text
    return "X-Request-Id" in answer.headers


def test_a_url_is_served_without_the_service_once_it_was_asked(gateway: Gateway) -> None:
    path = f"{BASE}/0,0,512,480/256,/0/default.jpg"
    made = gateway.public.get(path)
    gateway.stop_service()
    try:
        again = gateway.public.get(path)
    finally:
        gateway.continue_service()
    assert (made.headers["X-Cache"], again.headers["X-Cache"]) == ("MISS", "HIT-DISK")
    assert (again.status_code, again.content) == (200, made.content)
    for header in ("ETag", "Last-Modified", "Content-Type", "Cache-Control", "Link", "Access-Control-Allow-Origin"):
        assert again.headers[header] == made.headers[header]


def test_a_url_that_was_asked_is_conditional_and_has_ranges(gateway: Gateway) -> None:
    path = f"{BASE}/full/100,/0/default.jpg"
    etag = gateway.public.get(path).headers["ETag"]
    assert gateway.public.get(path, headers={"If-None-Match": etag}).status_code == 304
    assert gateway.public.get(path, headers={"Range": "bytes=0-9"}).status_code == 206


def test_no_answer_shows_the_translation(gateway: Gateway) -> None:
    for _ in range(2):
        assert "X-Translation" not in gateway.public.get(f"{BASE}/full/101,/0/default.jpg").headers


def test_a_translation_made_of_a_shape_ends_with_the_original(gateway: Gateway) -> None:
    path = "/iiif/3/memory%2Fchanging.png/full/pct:50/0/default.png"
    for width, height in ((64, 32), (32, 64)):
        data = images.png(images.photo(width, height))
        assert gateway.upload("memory/changing.png", data, replace="true").status_code in (200, 201)
        for _ in range(2):
            found = images.pixels(gateway.public.get(path).content)
            assert found.shape[:2] == (height // 2, width // 2)


def test_an_image_that_was_evicted_is_made_again(gateway: Gateway) -> None:
    path = f"{BASE}/full/102,/0/default.jpg"
    assert gateway.public.get(path).headers["X-Cache"] == "MISS"
    (file,) = gateway.derived.glob("memory/cat.jpg/@w=102*")
    file.unlink()
    assert gateway.public.get(path).headers["X-Cache"] == "MISS"


def test_a_file_that_goes_while_it_is_asked_for_is_answered_by_the_service(gateway: Gateway) -> None:
    path = f"{BASE}/full/103,/0/default.jpg"
    whole = gateway.public.get(path)
    with evicting(gateway.derived / "memory/cat.jpg"):
        answers = [gateway.public.get(path) for _ in range(60)]
    assert {(one.status_code, one.headers.get("ETag")) for one in answers} == {(200, whole.headers["ETag"])}
    assert {one.content for one in answers} == {whole.content}
    assert not any("X-Translation" in one.headers for one in answers)


def test_the_memory_is_bounded_and_what_is_asked_for_last_is_in_it(gateway: Gateway) -> None:
    """64 KiB hold some 150 translations; each URL here means the same image."""
    path = f"{BASE}/full/103,/0/default.jpg?number="
    gateway.public.get(f"{path}0")
    before = resident(gateway)
    for number in range(600):
        assert gateway.public.get(f"{path}{number}").status_code == 200
    assert not asked_the_service(gateway, f"{path}599")
    assert asked_the_service(gateway, f"{path}0")
    assert resident(gateway) - before < 4 << 20


def test_refusals_are_not_remembered(gateway: Gateway) -> None:
    path = "/iiif/3/memory%2Flater.png/full/max/0/default.png"
    assert gateway.public.get(path).status_code == 404
    gateway.upload("memory/later.png", images.png(images.photo(16, 16)))
    until(lambda: gateway.public.get(path).status_code == 200)


def test_another_spelling_of_the_prefix_is_refused(gateway: Gateway) -> None:
    assert gateway.public.get("/iiif/%33/memory%2Fcat.jpg/info.json").status_code == 400


def test_a_reload_drops_what_was_remembered(gateway: Gateway) -> None:
    path = f"{BASE}/full/104,/0/default.jpg"
    asked_the_service(gateway, path)
    assert not asked_the_service(gateway, path)
    (master,) = gateway.pids("nginx: master")
    old = set(gateway.pids("nginx: worker"))
    os.kill(master, signal.SIGHUP)
    until(lambda: bool(set(gateway.pids("nginx: worker")) - old) and not old & set(gateway.pids("nginx: worker")))
    assert asked_the_service(gateway, path)
    assert not asked_the_service(gateway, path)


def resident(gateway: Gateway) -> int:
    """Bytes of memory of nginx's workers."""
    pages = (int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in gateway.pids("nginx: worker"))
    return sum(pages) * os.sysconf("SC_PAGE_SIZE")
