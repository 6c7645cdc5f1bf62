"""What pages are built on: what names mean, archives of chosen images, the last problems, what this gateway can."""

from __future__ import annotations

import hashlib
import hmac
import html
import io
import zipfile
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient
from pytest_aiohttp import AiohttpClient

from gateway.error_page import POLICY
from gateway.rules import VOCABULARY
from tests.api.handlers import handlers
from tests.gateways import Gateway

KEY = "0123456789abcdef0123456789abcdef"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.fixture
def images_of(shared: Gateway, folder: str, cat: bytes, dog: bytes) -> Iterator[str]:
    assert shared.upload(f"{folder}/cat.jpg", cat).status_code == 201
    assert shared.upload(f"{folder}/dog.png", dog).status_code == 201
    yield folder


async def names(client: TestClient[Any, Any], **body: object) -> list[dict[str, Any]]:
    answered = await client.post("/names", json=body)
    assert answered.status == 200, await answered.text()
    found: list[dict[str, Any]] = await answered.json()
    return found


async def test_a_name_is_told_in_its_canonical_spelling_with_its_url(alone: TestClient[Any, Any]) -> None:
    (found,) = await names(alone, names=["a b/c.jpg/@h=90,w=160,gray=0,thumbnail.webp"])
    assert found["canonical"] == "a b/c.jpg/@w=160,h=90,sharpen=0.5.webp"
    assert found["recipe"] == {"w": "160", "h": "90", "sharpen": "0.5"}
    assert found["url"].endswith("/images/a%20b/c.jpg/@w=160,h=90,sharpen=0.5.webp")


async def test_each_name_has_its_own_result(alone: TestClient[Any, Any]) -> None:
    right, wrong = await names(alone, names=["a.jpg/@w=9.webp", "a.jpg/@w=none.webp"])
    assert right["canonical"] == "a.jpg/@w=9.webp"
    assert wrong["problem"]["status"] == 400
    assert "w=none" in wrong["problem"]["detail"]


@pytest.mark.parametrize("lifetime", [None, 600])
async def test_a_signature_is_the_hmac_of_the_canonical_name(
    aiohttp_client: AiohttpClient, tmp_path: Path, lifetime: int | None
) -> None:
    options = {"public": {"access": "signed", "keys": {"first": KEY}}}
    async with handlers(tmp_path, options) as (app, _):
        client = await aiohttp_client(app)
        (unsigned,) = await names(client, names=["a.jpg/@w=9.webp"])
        assert "url" not in unsigned
        (found,) = await names(client, names=["a.jpg/@w=9.webp"], sign=True, lifetime=lifetime)
    expires = str(found.get("expires", ""))
    assert bool(expires) == (lifetime is not None)
    digest = hmac.digest(KEY.encode(), f"a.jpg/@w=9.webp\n{expires}".encode(), hashlib.sha256)
    signature = urlsafe_b64encode(digest).rstrip(b"=").decode()
    end = f"&exp={expires}" if expires else ""
    assert found["url"].endswith(f"/images/a.jpg/@w=9.webp?sig=first.{signature}{end}")


def test_chosen_images_are_one_archive_and_what_is_missing_is_named(
    shared: Gateway, images_of: str, cat: bytes
) -> None:
    body = {"names": [f"{images_of}/cat.jpg", f"{images_of}/none.jpg", f"{images_of}/cat.jpg"]}
    answered = shared.api.post("/archive", json=body)
    assert answered.headers["Content-Type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answered.content)) as archive:
        assert archive.namelist() == ["cat.jpg", "manifest.json"]
        assert archive.read("cat.jpg") == cat
        assert f"{images_of}/none.jpg" in archive.read("manifest.json").decode()


def test_chosen_images_are_derived_by_a_recipe(shared: Gateway, images_of: str) -> None:
    body = {"names": [f"{images_of}/cat.jpg", f"{images_of}/dog.png"], "recipe": "w=20.png"}
    with zipfile.ZipFile(io.BytesIO(shared.api.post("/archive", json=body).content)) as archive:
        assert archive.namelist() == ["cat.png", "dog.png", "manifest.json"]
        same = shared.api.get(f"/images/{images_of}/cat.jpg/@w=20.png").content
        assert archive.read("cat.png") == same


@pytest.mark.parametrize(
    ("body", "status", "why"),
    [
        ({"names": ["a.jpg"] * 6}, 413, "more than 5 images"),
        ({"names": []}, 400, "names"),
        ({"names": ["a.jpg"], "recipe": "w=none.webp"}, 400, "w=none"),
        ({"names": ["a.jpg"], "recipe": "meta.json"}, 400, "must make an image"),
        ({"names": ["/a.jpg"]}, 400, ""),
    ],
)
def test_an_archive_that_cannot_be_is_refused_at_once(
    shared: Gateway, body: dict[str, Any], status: int, why: str
) -> None:
    refused = shared.api.post("/archive", json=body)
    assert refused.status_code == status
    assert why in refused.json()["detail"]


def test_the_last_problems_are_told_without_their_queries(shared: Gateway, folder: str) -> None:
    refused = shared.api.get(f"/images/{folder}/none.jpg?w=9&sig=secret")
    first = shared.api.get("/problems").json()["problems"][0]
    assert (first["status"], first["code"], first["port"]) == (refused.status_code, "no-such-image", "api")
    assert (first["method"], first["path"]) == ("GET", f"/images/{folder}/none.jpg")
    assert first["detail"] == refused.json()["detail"]
    assert "secret" not in str(first)


def test_no_more_than_the_last_problems_are_held(shared: Gateway, folder: str) -> None:
    for number in range(55):
        shared.api.get(f"/images/{folder}/{number}.jpg?original=true")
    held = shared.api.get("/problems").json()["problems"]
    assert len(held) == 50
    assert held[0]["path"] == f"/images/{folder}/54.jpg"


def test_the_vocabulary_is_told_with_this_gateways_limits(shared: Gateway) -> None:
    found = shared.api.get("/capabilities").json()
    assert [row["key"] for row in found["operations"]] == [row["key"] for row in VOCABULARY["operations"]]
    widths = next(row for row in found["operations"] if row["key"] == "w")
    assert (widths["max"], widths["expects"]) == (4096, "a whole number from 1 to 4096")
    assert list(found["formats"]) == list(shared.api.get("/formats").json()["out"])
    assert found["presets"] == shared.api.get("/presets").json()
    assert (found["client"], found["tokens"], found["access"], found["signing"]) == ("anonymous", False, "open", False)
    assert found["most_upload"] == 2 * 2**20


WRONG = {
    "/": 404,
    "/nothing": 404,
    "/images/none.jpg/@w=9.webp": 404,
    "/images/none.jpg/@w=9.auto": 404,
    "/images/none.jpg/@w=none.webp": 400,
    "/images/none.jpg?unknown=1": 400,
}


@pytest.mark.parametrize(("path", "status"), WRONG.items())
def test_a_browser_that_finds_an_error_on_the_public_port_is_led_to_the_page(
    shared: Gateway, path: str, status: int
) -> None:
    page = shared.public.get(path, headers={"Accept": BROWSER})
    assert (page.status_code, page.headers["Content-Type"]) == (status, "text/html; charset=utf-8")
    assert f'<a href="{str(shared.api.base_url).rstrip("/")}/">' in page.text
    assert page.headers["Content-Security-Policy"] == f"{POLICY}; sandbox"
    assert (page.headers["Cache-Control"], page.headers["Vary"]) == ("no-store", "Sec-Fetch-Dest, Accept")
    for headers in ({"Accept": "image/webp,*/*"}, {"Accept": BROWSER, "Sec-Fetch-Dest": "image"}):
        program = shared.public.get(path, headers=headers)
        assert program.headers["Content-Type"] == "application/problem+json"
        assert (program.status_code, program.headers["Vary"]) == (status, page.headers["Vary"])
        assert program.json()["detail"] in html.unescape(page.text)
        assert program.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"


def test_what_a_browser_asked_for_is_text_in_that_page(shared: Gateway) -> None:
    page = shared.public.get("/images/%3Cscript%3Ealert(1)%3C%2Fscript%3E.jpg/@w=9.webp", headers={"Accept": BROWSER})
    assert page.status_code in (400, 404)
    assert "<script" not in page.text
