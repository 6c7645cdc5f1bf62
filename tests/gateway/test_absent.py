"""The page for browsers where nothing is, in both languages: the detail is text, and only browsers get it."""

from __future__ import annotations

from html.parser import HTMLParser
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from gateway import absent

HOME = Path(__file__).resolve().parents[2]
DETAILS = ["there is no such image: a.jpg", "<script>alert(1)</script>", "\"'&amp; 100 % %1 {detail}", "ünïcode €"]
ACCEPTS = {
    "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8": True,
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


@pytest.fixture(scope="module")
def lua() -> Any:
    runtime = import_module("lupa.luajit21").LuaRuntime(encoding="utf-8")
    runtime.execute(f"package.path = '{HOME}/?.lua;' .. package.path")
    return runtime.eval("require('gateway.absent')")


class Texts(HTMLParser):
    """The texts and the elements of a page, as HTML is read."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.tags: list[str] = []

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def handle_starttag(self, tag: str, _attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)


@pytest.mark.parametrize("detail", DETAILS)
def test_the_detail_is_text_and_both_languages_write_the_same(lua: Any, detail: str) -> None:
    page = absent.absent_page("http://127.0.0.1:8081/")
    filled = absent.fill_in(page, detail)
    assert lua.fill_in(page, detail) == filled
    read = Texts()
    read.feed(filled)
    assert detail in read.texts
    assert "script" not in read.tags


@pytest.mark.parametrize(("accept", "wanted"), ACCEPTS.items())
def test_only_who_names_html_gets_it(lua: Any, accept: str, wanted: bool) -> None:
    assert absent.wants_page(accept) is wanted
    assert lua.wants_page(accept) is wanted


def test_what_both_languages_send_with_it_is_the_same(lua: Any) -> None:
    assert lua.CONTENT_TYPE == absent.CONTENT_TYPE


def test_a_page_without_a_workbench_names_none() -> None:
    assert "<a " not in absent.absent_page("")
    assert '<a href="/">' in absent.absent_page("/")
