"""The files of the page: a strict policy, validators, nothing outside, and nothing at all where it is turned off."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient
from pytest_aiohttp import AiohttpClient

from gateway import error_page
from service.api.resources.page import FRAME, POLICY, shipped
from tests.api.handlers import handlers

PAGE = Path(__file__).resolve().parents[2] / "service/api/page"
LONGEST = 250  # lines of a module


async def served(aiohttp_client: AiohttpClient, root: Path, options: dict[str, Any]) -> TestClient[Any, Any]:
    app, _ = await handlers(root, options).__aenter__()
    return await aiohttp_client(app)


async def test_the_page_comes_with_a_policy_and_validators(aiohttp_client: AiohttpClient, tmp_path: Path) -> None:
    client = await served(aiohttp_client, tmp_path, {})
    for path in ("/", "/page/app.js", "/page/base.css", "/page/icon.svg", "/docs"):
        answered = await client.get(path)
        assert answered.status == 200, path
        assert answered.headers["Content-Security-Policy"] == POLICY
        assert answered.headers["Referrer-Policy"] == "no-referrer"
        again = await client.get(path, headers={"If-None-Match": answered.headers["ETag"]})
        assert (again.status, await again.read()) == (304, b"")


def test_the_policy_lets_nothing_in() -> None:
    rules = dict(rule.split(" ", 1) for rule in POLICY.split("; "))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == rules["style-src"] == rules["connect-src"] == "'self'"
    assert not [word for word in ("unsafe", "http", "*", "nonce") if word in POLICY]


async def test_without_the_option_there_is_no_page(aiohttp_client: AiohttpClient, tmp_path: Path) -> None:
    client = await served(aiohttp_client, tmp_path, {"api": {"page": False}})
    for path in ("/", "/page/app.js"):
        assert (await client.get(path)).status == 404
    assert (await client.get("/docs")).status == 200


@pytest.mark.parametrize("name", ["../settings.py", "%2e%2e/page.py", "nothing.js", "", "index.html/"])
async def test_only_files_of_the_page_are_sent(aiohttp_client: AiohttpClient, tmp_path: Path, name: str) -> None:
    client = await served(aiohttp_client, tmp_path, {})
    assert (await client.get(f"/page/{name}")).status == 404


@pytest.mark.parametrize("accept", ["text/html,application/xhtml+xml,*/*;q=0.8", "text/html"])
async def test_a_browser_that_finds_an_error_is_led_to_the_page(
    aiohttp_client: AiohttpClient, tmp_path: Path, accept: str
) -> None:
    client = await served(aiohttp_client, tmp_path, {})
    for path, status in (("/nothing/<b>", 404), ("/images/a.jpg/@w=no.webp", 400), ("/warm", 405)):
        wrong = await client.get(path, headers={"Accept": accept})
        assert (wrong.status, wrong.content_type) == (status, "text/html")
        assert '<a href="/">' in await wrong.text()
        assert wrong.headers["Content-Security-Policy"] == error_page.POLICY
        assert (wrong.headers["Cache-Control"], wrong.headers["Vary"]) == ("no-store", "Sec-Fetch-Dest, Accept")
        for headers in ({"Accept": "*/*"}, {"Accept": f"{accept},*/*", "Sec-Fetch-Dest": "image"}):
            program = await client.get(path, headers=headers)
            assert program.content_type == "application/problem+json"
            assert (program.status, program.headers["Vary"]) == (status, wrong.headers["Vary"])
            assert program.headers.get("Allow") == wrong.headers.get("Allow")


def test_no_file_holds_inline_scripts_or_styles_or_names_another_host() -> None:
    for path in PAGE.iterdir():
        text = path.read_text("utf-8")
        assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", text), path.name
        assert not re.search(r"\.(innerHTML|outerHTML|insertAdjacentHTML)|\beval\(|new Function|document\.write", text)
        if path.suffix == ".html":
            assert not re.search(r"<style|\bstyle=|\son\w+=|<script(?![^>]* src=)", text), path.name


def test_every_module_is_one_thought_and_every_file_is_used() -> None:
    texts = {path.name: path.read_text("utf-8") for path in PAGE.iterdir()}
    assert {*shipped(), FRAME} == set(texts)
    everything = "\n".join(texts.values())
    for name, text in texts.items():
        assert len(text.splitlines()) <= LONGEST, name
        assert name in (FRAME, "index.html", "docs.html") or re.search(rf"/{re.escape(name)}\b", everything), (
            f"{name} is not used"
        )
        if name.endswith(".js"):
            assert text.startswith("// "), name
