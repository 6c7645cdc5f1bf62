"""URLs of imgproxy and thumbor through nginx and through the API alone: the same file as by the canonical name."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator

import pytest
from PIL import Image

from gateway.error_page import POLICY
from service.dialects.imgproxy import Key
from service.dialects.thumbor import url as thumbor
from tests import images
from tests.gateways import Gateway, running_gateway

KEY = Key(b"a key of imgproxy", b"its salt")
SECOND = Key(b"another key", b"another salt")
THUMBOR_KEY = "a-key-of-thumbor"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
SOURCE = "plain/local:///photos/cat.jpg"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """Both dialects with keys, on a gateway whose canonical names need signatures."""
    pairs = (KEY, SECOND)
    options = {
        "public": {"access": "signed", "keys": {"first": "a-key-of-at-least-sixteen-bytes"}},
        "dialects": {
            "imgproxy": {
                "prefix": "/imgproxy",
                "key": ",".join(pair.key.hex() for pair in pairs),
                "salt": ",".join(pair.salt.hex() for pair in pairs),
                "presets": {"sharp": "rs:fill:120:90/q:70"},
            },
            "thumbor": {"prefix": "/media/thumbor", "keys": {"first": THUMBOR_KEY}},
        },
    }
    with running_gateway(tmp_path_factory.mktemp("gateway"), options) as running:
        running.api.put("/images/photos/cat.jpg", content=images.jpeg(images.photo(1000, 800))).raise_for_status()
        yield running


def imgproxy_url(rest: str, key: Key = KEY) -> str:
    return f"/imgproxy/{key.sign(f'/{rest}')}/{rest}"


def thumbor_url(rest: str) -> str:
    return f"/media/thumbor/{thumbor.sign(rest, THUMBOR_KEY)}/{rest}"


URLS = (
    (imgproxy_url(f"rs:fit:300:200/{SOURCE}@webp"), "w=300,h=200.webp", (250, 200)),
    (imgproxy_url(f"rs:fill:300:200/g:sm/{SOURCE}@png", SECOND), "w=300,h=200,fit=cover,g=smart.png", (300, 200)),
    (imgproxy_url(f"c:400:300/w:200/{SOURCE}@jpg"), "crop=300:250:400:300,w=200.jpg", (200, 150)),
    (imgproxy_url("w:50/bG9jYWw6Ly8vcGhvdG9z/L2NhdC5qcGc.png"), "w=50.png", (50, 40)),
    (imgproxy_url(f"pr:sharp/{SOURCE}@jpg"), "w=120,h=90,fit=cover,q=70.jpg", (120, 90)),
    (imgproxy_url(f"rs:fit:80:80:0:1/bg:f00/{SOURCE}@webp"), "w=80,h=80,fit=pad,bg=ff0000.webp", (80, 80)),
    (imgproxy_url(f"w:60/{SOURCE}"), "w=60.jpg", (60, 48)),
    (thumbor_url("300x200/smart/photos/cat.jpg"), "w=300,h=200,fit=cover,up=1,g=smart.jpg", (300, 200)),
    (thumbor_url("adaptive-fit-in/200x300/filters:format(webp)/photos/cat.jpg"), "w=300,h=200.webp", (250, 200)),
    (thumbor_url("fit-in/70x70/filters:fill(red)/photos/cat.jpg"), "w=70,h=70,fit=pad,bg=ff0000.jpg", (70, 70)),
)


@pytest.mark.parametrize(("url", "leaf", "size"), URLS)
def test_a_dialects_url_and_the_canonical_name_are_one_image(
    gateway: Gateway, url: str, leaf: str, size: tuple[int, int]
) -> None:
    named = gateway.api.get(f"/images/photos/cat.jpg/@{leaf}")
    for asked in range(2):
        public, api = gateway.public.get(url), gateway.api.get(url)
        for answer in (public, api):
            assert answer.status_code == 200, answer.text
            assert answer.content == named.content
            assert answer.headers["ETag"] == named.headers["ETag"]
            assert answer.headers["Content-Type"] == named.headers["Content-Type"]
        assert ("X-Request-Id" in public.headers) == (asked == 0), "the second time nginx remembers"
    with Image.open(io.BytesIO(named.content)) as image:
        assert image.size == size


def test_a_wrong_signature_is_refused_in_the_dialects_own_way(gateway: Gateway) -> None:
    for url, status in (
        (f"/imgproxy/{KEY.sign('/w:1')}/w:300/{SOURCE}@webp", 403),
        (f"/imgproxy/insecure/w:300/{SOURCE}@webp", 403),
        (f"/media/thumbor/{thumbor.sign('1x1/a.jpg', THUMBOR_KEY)}/300x200/photos/cat.jpg", 400),
        ("/media/thumbor/unsafe/300x200/photos/cat.jpg", 400),
    ):
        answer = gateway.public.get(url)
        assert (answer.status_code, answer.headers["Content-Type"].partition(";")[0]) == (status, "text/plain")


def test_the_api_port_needs_no_signature(gateway: Gateway) -> None:
    assert gateway.api.get(f"/imgproxy/x/w:30/{SOURCE}@webp").status_code == 200
    assert gateway.api.get("/media/thumbor/unsafe/30x30/photos/cat.jpg").status_code == 200


def test_what_has_no_equal_is_refused_by_name_on_both_ports(gateway: Gateway) -> None:
    for url, status, word in (
        (imgproxy_url(f"sh:0.5/{SOURCE}@jpg"), 404, "sh:"),
        (imgproxy_url(f"raw:1/{SOURCE}"), 404, "raw:"),
        (imgproxy_url(f"sm:0/{SOURCE}"), 404, "sm:"),
        (imgproxy_url(f"w:300/pd:10/{SOURCE}@jpg"), 404, "pd:"),
        (thumbor_url("300x200/filters:noise(40)/photos/cat.jpg"), 400, "noise:"),
    ):
        for client in (gateway.public, gateway.api):
            answer = client.get(url)
            assert answer.status_code == status
            assert word in answer.text


def test_a_background_is_refused_where_the_original_is_transparent(gateway: Gateway) -> None:
    gateway.api.put("/images/photos/soft.png", content=images.png_alpha()).raise_for_status()
    source = "plain/local:///photos/soft.png"
    for client in (gateway.public, gateway.api):
        assert client.get(imgproxy_url(f"w:30/bg:f00/{source}@jpg")).status_code == 200
        refused = client.get(imgproxy_url(f"w:30/bg:f00/{source}@webp"))
        assert (refused.status_code, "bg:" in refused.text) == (404, True)


def test_a_missing_image_is_404_as_there(gateway: Gateway) -> None:
    for rest in ("w:300/plain/local:///photos/none.jpg@jpg", "rs:fill:300:200/plain/local:///photos/none.jpg@jpg"):
        answer = gateway.public.get(imgproxy_url(rest))
        assert (answer.status_code, answer.headers["Content-Type"].partition(";")[0]) == (404, "text/plain")
    assert gateway.public.get(thumbor_url("300x200/photos/none.jpg")).status_code == 404


def test_a_browser_that_navigates_to_an_error_gets_a_page(gateway: Gateway) -> None:
    for url, status, word in (
        (imgproxy_url(f"raw:1/{SOURCE}"), 404, "raw:"),
        (thumbor_url("300x200/filters:noise(40)/photos/cat.jpg"), 400, "noise:"),
        (thumbor_url("30x20/photos/none.jpg"), 404, "there is no such image"),
    ):
        for client in (gateway.public, gateway.api):
            page = client.get(url, headers={"Accept": BROWSER, "Sec-Fetch-Dest": "document"})
            assert (page.status_code, page.headers["Content-Type"]) == (status, "text/html; charset=utf-8")
            assert word in page.text
            assert "The workbench" in page.text
            assert page.headers["Content-Security-Policy"].startswith(POLICY)
            shown = client.get(url, headers={"Accept": BROWSER, "Sec-Fetch-Dest": "image"})
            assert (shown.status_code, shown.headers["Content-Type"].partition(";")[0]) == (status, "text/plain")
            assert page.headers["Vary"] == shown.headers["Vary"] == "Sec-Fetch-Dest, Accept"


def test_what_a_dialect_refuses_is_listed_without_its_signature(gateway: Gateway) -> None:
    url = imgproxy_url(f"w:31/raw:1/{SOURCE}")
    refused = gateway.public.get(url)
    listed = gateway.api.get("/problems").json()["problems"][0]
    assert (listed["status"], listed["detail"]) == (404, refused.text.strip())
    assert listed["path"] == f"/imgproxy/…/w:31/raw:1/{SOURCE}"


def test_a_url_of_imgproxy_ends_with_its_time(gateway: Gateway) -> None:
    end = int(time.time()) + 3600
    answer = gateway.public.get(imgproxy_url(f"w:40/exp:{end}/{SOURCE}@webp"))
    assert answer.status_code == 200
    directives = dict(part.strip().partition("=")[::2] for part in answer.headers["Cache-Control"].split(","))
    assert int(directives["max-age"]) <= 3600
    assert "immutable" not in directives
    gone = gateway.public.get(imgproxy_url(f"w:40/exp:{int(time.time()) - 1}/{SOURCE}@webp"))
    assert (gone.status_code, "Expired URL" in gone.text) == (404, True)


def test_no_metadata_leaves(gateway: Gateway) -> None:
    secret = images.jpeg(images.photo(200, 150), exif=images.exif())
    gateway.api.put("/images/photos/secret.jpg", content=secret).raise_for_status()
    for url in (imgproxy_url("sm:1/plain/local:///photos/secret.jpg"), thumbor_url("photos/secret.jpg")):
        answer = gateway.public.get(url)
        assert answer.status_code == 200
        assert images.SECRET_CAMERA.encode() not in answer.content
