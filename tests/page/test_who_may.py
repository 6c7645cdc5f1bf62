"""Tokens: the page asks for one, keeps it in its tab, shows what it may; nothing gets around the API's rules."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.gateways import Gateway, running_gateway
from tests.page.conftest import Sheet, barriers, looking, photo
from tests.waiting import PATIENCE

ALL, READER, SCRAPER = "token-that-may-everything", "token-that-may-read", "token-that-may-scrape"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    def token(name: str, secret: str, *scopes: str) -> dict[str, object]:
        return {"name": name, "sha256": hashlib.sha256(secret.encode()).hexdigest(), "scopes": list(scopes)}

    tokens = [
        token("editor", ALL, "read", "write", "delete", "url"),
        token("reader", READER, "read"),
        token("scraper", SCRAPER, "metrics"),
    ]
    with running_gateway(tmp_path_factory.mktemp("guarded"), {"api": {"tokens": tokens}}) as running:
        running.api.headers["Authorization"] = f"Bearer {ALL}"
        assert running.upload("kept/photo.jpg", photo(320, 240)).status_code == 201
        yield running


@pytest.fixture(scope="module")
def tab(browser: Browser, guarded: Gateway) -> Iterator[Sheet]:
    with looking(browser, str(guarded.api.base_url)) as opened:
        yield opened


@pytest.fixture(autouse=True)
def no_token_in_a_url(sheet: Sheet) -> Iterator[None]:
    yield
    assert [url for url in sheet.asked if any(secret in url for secret in (ALL, READER, SCRAPER))] == []


def sign_in(page: Page, secret: str) -> None:
    page.get_by_label("Token").fill(secret)
    page.get_by_role("button", name="Use this token").click()


def test_a_wrong_token_is_refused_and_a_right_one_taken(sheet: Sheet) -> None:
    page = sheet.open("#/browse/kept/")
    sign_in(page, "a guess")
    expect(page.get_by_role("alert")).to_have_text("This token is not known here.")
    assert barriers(page) == []
    sign_in(page, ALL)
    expect(page.locator(".cell img:not(.early)")).to_be_visible()
    expect(page.locator(".who")).to_contain_text("editor")
    assert ALL not in page.url
    assert page.evaluate("JSON.stringify([localStorage, document.cookie])").count(ALL) == 0


def test_the_token_ends_with_its_tab(sheet: Sheet) -> None:
    page = sheet.open("#/browse/kept/")
    sign_in(page, ALL)
    expect(page.get_by_role("gridcell")).to_have_count(1)
    page.reload()
    expect(page.get_by_role("gridcell")).to_have_count(1)
    other = page.context.new_page()
    other.goto(page.url)
    expect(other.get_by_label("Token")).to_be_visible()
    page.get_by_role("button", name="Forget token").click()
    expect(page.get_by_label("Token")).to_be_visible()


def test_only_what_the_scopes_allow_is_offered(sheet: Sheet) -> None:
    page = sheet.open("#/browse/kept/")
    sign_in(page, READER)
    page.get_by_role("gridcell").press("Space")
    expect(page.get_by_role("button", name="Download")).to_be_visible()
    for name in ("Delete", "Purge", "Put pictures in"):
        expect(page.get_by_role("button", name=name)).to_have_count(0)
    page.goto(f"{sheet.origin}/#/picture/kept/photo.jpg")
    page.get_by_role("tab", name="Copy").click()
    expect(page.get_by_text("Your token lacks the scope url.").first).to_be_visible()


def test_a_token_that_may_not_read_sees_nothing(sheet: Sheet) -> None:
    page = sheet.open("#/browse/kept/")
    sign_in(page, SCRAPER)
    expect(page.get_by_text("This token may not look at pictures")).to_be_visible()


def test_a_cookie_never_authenticates(guarded: Gateway) -> None:
    cookies = dict.fromkeys(("token", "Authorization", "image-gateway-token", "session"), ALL)
    with httpx.Client(base_url=guarded.api.base_url, cookies=cookies, timeout=PATIENCE) as client:
        for path in ("/images", "/capabilities", "/problems", "/stats", "/images/kept/photo.jpg?original=true"):
            assert client.get(path).status_code == 401, path
        assert client.delete("/images/kept/photo.jpg").status_code == 401
        assert client.get("/").status_code == 200


def test_a_page_of_another_origin_changes_nothing(guarded: Gateway) -> None:
    foreign = {"Origin": "https://elsewhere.example", "Sec-Fetch-Site": "cross-site"}
    for path, body in (("/archive", {"names": ["kept/photo.jpg"]}), ("/names", {"names": ["kept/photo.jpg/@w=9.jpg"]})):
        refused = guarded.api.post(path, json=body, headers=foreign)
        assert (refused.status_code, refused.json()["type"]) == (403, "urn:image-gateway:problem:cross-site")


def test_signing_takes_the_scope_for_urls(guarded: Gateway) -> None:
    body = {"names": ["kept/photo.jpg/@w=9.jpg"], "sign": True}
    refused = guarded.api.post("/names", json=body, headers={"Authorization": f"Bearer {READER}"})
    assert refused.status_code == 403
    assert guarded.api.post("/names", json=body).status_code == 200
