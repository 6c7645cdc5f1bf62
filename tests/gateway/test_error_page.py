"""The page for browsers in place of a problem, in both languages: its texts are text, and only browsers get it."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from html.parser import HTMLParser
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from gateway import error_page

HOME = Path(__file__).resolve().parents[2]
DETAILS = [
    "there is no such image: a.jpg",
    "<script>alert(1)</script>",
    "\"'&amp; 100 % %1 {detail} {title} {unknown}",
    "ünïcode €",
]
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
ACCEPTS = {
    BROWSER: True,
    "Text/HTML ; q=0.5": True,
    " text/html": True,
    "text/html,application/json;q=0.9": True,
    "text/html,application/problem+json": False,
    "text/html;q=0.8,application/json": False,
    "text/html;q=0,*/*": False,
    "*/*": False,
    "image/avif,image/webp,*/*": False,
    "application/json, text/plain": False,
    "text/htmlx, xtext/html": False,
    "": False,
}
DESTINATIONS = {
    "": True,
    "document": True,
    "Document": True,
    "iframe": True,
    "frame": True,
    "image": False,
    "empty": False,
    "script": False,
    "object": False,
}


@pytest.fixture(scope="module")
def lua() -> Any:
    runtime = import_module("lupa.luajit21").LuaRuntime(encoding="utf-8")
    runtime.execute(f"package.path = '{HOME}/?.lua;' .. package.path")
    return runtime.eval("require('gateway.error_page')")


class Texts(HTMLParser):
    """The texts, elements and attributes of a page, as HTML is read."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[str] = []
        self.feed(page)

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes.extend(name for name, _ in attrs)


@pytest.mark.parametrize("detail", DETAILS)
def test_the_detail_is_text_and_both_languages_write_the_same(lua: Any, detail: str) -> None:
    page = error_page.error_page("http://127.0.0.1:8081/")
    filled = error_page.fill_in(page, 404, "Not Found", detail)
    assert lua.fill_in(page, 404, "Not Found", detail) == filled
    read = Texts(filled)
    assert detail in read.texts
    assert {"404", "Not Found", "404 Not Found · Image Gateway"} <= set(read.texts)
    assert "script" not in read.tags


@pytest.mark.parametrize(("accept", "wanted"), ACCEPTS.items())
def test_only_who_names_html_gets_it(lua: Any, accept: str, wanted: bool) -> None:
    assert error_page.wants_page(accept, "") is wanted
    assert lua.wants_page(accept, "") is wanted


@pytest.mark.parametrize(("destination", "wanted"), DESTINATIONS.items())
def test_only_who_navigates_gets_it(lua: Any, destination: str, wanted: bool) -> None:
    """The destinations are those of the Fetch standard."""
    assert error_page.wants_page(BROWSER, destination) is wanted
    assert lua.wants_page(BROWSER, destination) is wanted


def test_what_both_languages_send_with_it_is_the_same(lua: Any) -> None:
    assert (lua.CONTENT_TYPE, lua.VARY) == (error_page.CONTENT_TYPE, error_page.VARY)


def test_the_policy_allows_the_one_style_and_nothing_else() -> None:
    read = Texts(error_page.error_page("/"))
    style = read.texts[read.texts.index("{status} {title} · Image Gateway") + 2]
    digest = b64encode(hashlib.sha256(style.encode()).digest()).decode()
    rules = dict(rule.split(" ", 1) for rule in error_page.POLICY.split("; "))
    assert rules.pop("style-src") == f"'sha256-{digest}'"
    assert set(rules.values()) == {"'none'"}
    assert "default-src" in rules
    assert not {"src", "style", "onload"} & set(read.attributes)


def test_a_page_without_a_workbench_names_none() -> None:
    assert "<a " not in error_page.error_page("")
    assert '<a href="/">' in error_page.error_page("/")
