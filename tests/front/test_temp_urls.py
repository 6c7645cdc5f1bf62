"""Temporary URLs on the directory store: the API gives them, and nginx answers them."""

from __future__ import annotations

import io
import os
import re
import time
from collections.abc import Iterator
from email.message import Message
from pathlib import Path
from urllib.parse import quote

import pytest
from PIL import Image

from tests import images
from tests.front.temp_urls import fetch, given, raw, signed, status, told
from tests.gateways import Gateway, running_gateway
from tests.store.test_contract import NAMES

LONG = (
    "crop=10.01p:10.01p:10.01p:10.01p,trim=10.1,w=40,h=30,fit=cover,up=1,g=0.123:0.456,rot=123,flip=h,bg=aabbccdd,"
    "equalize=1,normalize=1,negate=1,bri=-100,con=-100,sat=-100,gam=1.25,blur=10.1,sharpen=10.1:1.25:0.125,"
    "frame=1,mb=1000000000,keep=copyright:icc.webp"
)  # as many bytes as it takes to be longer than a file's name may be


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with running_gateway(tmp_path_factory.mktemp("temporary"), {"metadata": {"keep": ["copyright", "icc"]}}) as gateway:
        assert gateway.upload("cat.jpg", images.jpeg()).status_code == 201
        yield gateway


def test_a_derived_image_is_made_and_sent_with_its_type_and_name(running: Gateway) -> None:
    answer = told(running, "cat.jpg", xsize="40", kind="webp", lifetime="60")
    assert answer["object"] == "cat.jpg/@w=40,h=40.webp" or answer["object"].startswith("cat.jpg/@w=40")
    assert 0 < answer["expires"] - time.time() <= 61
    fetched = fetch(answer["url"])
    assert Image.open(io.BytesIO(fetched.content)).size[0] == 40
    assert fetched.headers["Content-Type"] == "image/webp"
    assert fetched.headers["Content-Disposition"] == "attachment; filename=\"cat.webp\"; filename*=UTF-8''cat.webp"
    assert fetched.headers["X-Content-Type-Options"] == "nosniff"
    private, age = fetched.headers["Cache-Control"].split(", max-age=")
    assert private == "private"
    assert int(age) <= 60


def test_metadata_has_a_url_too(running: Gateway) -> None:
    fetched = fetch(given(running, "cat.jpg/@meta.json"))
    assert fetched.headers["Content-Type"] == "application/json"
    assert fetched.json()["format"] == "jpg"


@pytest.mark.parametrize(
    ("name", "data", "kind"),
    [
        ("typed/cat.png", images.jpeg(), "image/jpeg"),
        ("typed/png", images.png(), "image/png"),
        ("typed/webp", images.webp(), "image/webp"),
        ("typed/gif", images.gif(), "image/gif"),
        ("typed/tiff", images.tiff(), "image/tiff"),
        ("typed/bmp", images.bmp(), "image/bmp"),
        ("typed/avif", images.avif(), "image/avif"),
        ("typed/heic", images.heic(), "image/heic"),
    ],
)
def test_an_original_is_sent_as_what_it_is_not_as_it_is_called(
    running: Gateway, name: str, data: bytes, kind: str
) -> None:
    assert running.upload(name, data).status_code == 201
    fetched = fetch(given(running, name, original="true"))
    assert (fetched.content, fetched.headers["Content-Type"]) == (data, kind)


def test_what_lies_in_the_folder_and_is_no_image_is_saved_not_shown(running: Gateway) -> None:
    (running.root / "var/store/page.html").write_text("<script>alert(1)</script>")
    fetched = fetch(given(running, "page.html", original="true", inline="true"))
    assert fetched.headers["Content-Type"] == "application/octet-stream"
    assert fetched.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("name", [*NAMES, "#", "{}[]|`^", "a&b=c?inline", "\u202e.jpg"])
def test_names_of_any_kind_have_urls(running: Gateway, name: str) -> None:
    data = images.jpeg(images.flat(9, 9))
    file = running.root / "var/store" / f"odd/{name}"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)
    fetched = fetch(given(running, f"odd/{name}", original="true"))
    assert (fetched.status_code, fetched.content) == (200, data)
    derived = fetch(given(running, f"odd/{name}/@w=5.png"))
    assert images.pixels(derived.content).shape == (5, 5, 3)


def test_a_recipe_that_no_file_system_holds_has_a_url_and_is_removed_with_its_image(running: Gateway) -> None:
    running.upload("long.gif", images.gif_animated())
    answer = running.api.post("/urls", json={"names": [f"long.gif/@{LONG}"]}).json()[0]
    assert len(answer["object"].rpartition("/")[2]) > 255
    assert fetch(answer["url"]).headers["Content-Type"] == "image/webp"
    running.api.delete("/images/long.gif")
    assert status(answer["url"]) == 404
    assert not (running.root / "var/derived/long.gif").exists()


def test_range_head_and_conditions_are_nginx_own(running: Gateway) -> None:
    url = given(running, "cat.jpg", original="true")
    whole = fetch(url)
    assert whole.headers["Accept-Ranges"] == "bytes"
    part = fetch(url, Range="bytes=2-5")
    assert (part.status_code, part.content) == (206, whole.content[2:6])
    assert part.headers["Content-Type"] == "image/jpeg"
    head = fetch(url, "HEAD")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["Content-Length"] == str(len(whole.content))
    assert head.headers["Content-Disposition"] == whole.headers["Content-Disposition"]
    same = fetch(url, **{"If-None-Match": whole.headers["ETag"]})
    assert (same.status_code, same.content) == (304, b"")
    assert same.headers["Cache-Control"].startswith("private")
    beyond = fetch(url, Range="bytes=999999-")
    assert beyond.status_code == 416
    assert "Content-Disposition" not in beyond.headers
    assert fetch(url, **{"If-Match": '"other"'}).status_code == 412


def test_the_api_decides_what_a_browser_does_with_it(running: Gateway) -> None:
    shown = fetch(given(running, "cat.jpg", original="true", inline="true"))
    assert shown.headers["Content-Disposition"].startswith("inline; ")
    odd = 'mein "Bild"\r\nX: é🐈.jpg'
    named = fetch(given(running, "cat.jpg", original="true", filename=odd))
    message = Message()
    message["Content-Disposition"] = named.headers["Content-Disposition"]
    assert "X" not in named.headers
    assert message.get_content_disposition() == "attachment"
    assert named.headers["Content-Disposition"].endswith(f"; filename*=UTF-8''{quote(odd)}")


def test_a_name_that_would_be_shown_as_another_is_not_given_to_a_browser(running: Gateway) -> None:
    named = fetch(given(running, "cat.jpg", original="true", filename="cat\u202egpj.exe"))
    plain = "cat_gpj.exe"
    assert named.headers["Content-Disposition"] == f"attachment; filename=\"{plain}\"; filename*=UTF-8''{plain}"


def test_a_url_opens_nothing_else_and_no_longer(running: Gateway) -> None:
    url = given(running, "cat.jpg/@w=10.png")
    assert status(url) == 200
    for other in (
        url.replace("cat.jpg", "dog.jpg", 1),
        url.replace("%3D10", "%3D11"),
        url.replace("/derived/", "/originals/").replace("/%40w%3D10.png", ""),
        url.replace("temp_url_sig=", "temp_url_sig=0"),
        re.sub("temp_url_expires=[0-9]+", f"temp_url_expires={int(time.time()) + 10**6}", url),
        re.sub("temp_url_expires=[0-9]+", "temp_url_expires=1", url),
        url.partition("?")[0],
        signed(running, "/temp/originals/cat.jpg", key="another key"),
    ):
        refused = fetch(other)
        assert refused.status_code == 401, other
        assert refused.json()["type"] == "urn:image-gateway:problem:unauthorised"
        assert refused.headers["Cache-Control"] == "no-store"
        assert "WWW-Authenticate" in refused.headers
    assert fetch(url, "POST").status_code == fetch(url, "DELETE").status_code == 405
    assert fetch(url, "OPTIONS").headers["Allow"] == "GET, HEAD, OPTIONS"


def test_a_url_ends_in_time(running: Gateway) -> None:
    answer = told(running, "cat.jpg/@w=10.png", lifetime="1")
    while time.time() < answer["expires"] + 1:
        time.sleep(0.05)
    refused = fetch(answer["url"])
    assert (refused.status_code, refused.json()["detail"]) == (401, "temp_url_expires: the URL has expired")


def test_the_end_may_be_written_as_in_iso_8601(running: Gateway) -> None:
    answer = told(running, "cat.jpg/@w=10.png")
    moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(answer["expires"]))
    assert status(re.sub("temp_url_expires=[0-9]+", f"temp_url_expires={moment}", answer["url"])) == 200


def test_a_signature_for_head_gives_no_bytes(running: Gateway) -> None:
    url = signed(running, "/temp/originals/cat.jpg", method="HEAD")
    assert fetch(url, "HEAD").status_code == 200
    assert status(url) == 401


def test_what_is_signed_and_not_there_is_404(running: Gateway) -> None:
    missing = fetch(signed(running, "/temp/originals/none.jpg"))
    assert (missing.status_code, missing.headers["Content-Type"]) == (404, "application/problem+json")
    (running.root / "var/store/directory").mkdir(exist_ok=True)
    assert status(signed(running, "/temp/originals/directory")) == 404
    assert running.api.get("/images/none.jpg?url=true&original=true").status_code == 404
    assert running.api.get("/images/none.jpg?url=true&w=9").status_code == 404


def test_even_who_has_the_key_reaches_nothing_but_images_of_the_store(running: Gateway, tmp_path: Path) -> None:
    given(running, "cat.jpg", original="true")  # so that the key and the folder of what is unfinished are there
    secret = tmp_path / "secret.jpg"
    secret.write_bytes(images.jpeg())
    root = running.root / "var/store"
    for link in (root / "link.jpg", running.root / "var/derived/cat.jpg/@w=77.jpg"):
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(secret)
    (root / "folder").symlink_to(tmp_path)
    for path in ("/temp/originals/link.jpg", "/temp/originals/folder/secret.jpg", "/temp/derived/cat.jpg/@w=77.jpg"):
        assert status(signed(running, path)) == 404, path
    (running.root / "var/derived/@tmp/x").mkdir(parents=True)
    (running.root / "var/derived/@tmp/x/@full.jpg").write_bytes(images.jpeg())
    for path in (
        "/temp/derived/@temp-url-key",
        "/temp/derived/@tmp/x/@full.jpg",
        "/temp/derived/x/@temp-url-key/../../@temp-url-key",
        "/temp/originals/../derived/@temp-url-key",
        "/temp/derived/..%2f@temp-url-key",
        "/temp/originals//etc/passwd",
        "/temp/run/nginx/rules.json",
        "/images/../temp/originals/cat.jpg",
    ):
        assert raw(running, signed(running, path, sent=path)) == 400, path
    for up in ("../..", "%2e%2e/%2e%2e"):  # nginx itself resolves these, to where nothing is
        path = f"/temp/originals/{up}/config.yaml"
        assert raw(running, signed(running, "/temp/originals/../../config.yaml", sent=path)) == 404


def test_a_pipe_in_the_folder_holds_nobody_up(running: Gateway) -> None:
    os.mkfifo(running.root / "var/store/pipe.jpg")
    assert status(signed(running, "/temp/originals/pipe.jpg")) == 404
    (running.root / "var/store/pipe.jpg").unlink()


@pytest.mark.slow
def test_a_root_that_is_a_link_itself_is_followed(tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures/cat.jpg").write_bytes(images.jpeg())
    root = tmp_path / 'a "$root" {;}'
    root.symlink_to(tmp_path / "pictures")
    with running_gateway(tmp_path / "gateway", {"store": {"directory": {"root": str(root)}}}) as gateway:
        assert fetch(given(gateway, "cat.jpg", original="true")).content == images.jpeg()
