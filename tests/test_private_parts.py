"""Private parts of libraries are used in one place each, which says at import when a library has changed them."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from service.api.http import aiohttp_private
from service.engine import pillow_private
from service.store.swift import swiftclient_private

ROOT = Path(__file__).parents[1]
PLACES = {
    **dict.fromkeys(("_messages", "_request_count", "_current_request"), "service/api/http/aiohttp_private.py"),
    **dict.fromkeys(("new_block", "_new"), "service/engine/pillow_private.py"),
    "http_conn": "service/store/swift/swiftclient_private.py",
}


@pytest.mark.parametrize("name", PLACES)
def test_a_private_part_is_used_in_one_module(name: str) -> None:
    using = {
        str(file.relative_to(ROOT))
        for file in (ROOT / "service").rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Attribute) and node.attr == name
    }
    assert using == {PLACES[name]}


def test_another_aiohttp_is_refused_by_its_version_and_what_it_lacks() -> None:
    class Changed:
        _current_request = None
        _reading_paused = False
        _request_count = 0

    with pytest.raises(ImportError, match=r"aiohttp 4\.0: its RequestHandler has no _messages any more"):
        aiohttp_private.require(Changed, "4.0")


def test_another_pillow_is_refused_by_its_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(Image.Image, "_new")
    with pytest.raises(ImportError, match=r"Pillow 99\.0: _imaging\.new_block, Image\._new or .* is not what it was"):
        pillow_private.require("99.0")


def test_a_pillow_whose_pixels_are_others_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    white = Image.new("RGB", (2, 1), "white")
    monkeypatch.setattr(Image.Image, "_new", lambda *_: white)
    with pytest.raises(ImportError, match=r"Pillow 99\.0"):
        pillow_private.require("99.0")


@pytest.mark.parametrize("opened", [object, lambda: ("url",), lambda: ("url", object())])
def test_another_swiftclient_is_refused_by_its_version(opened: Callable[[], Any]) -> None:
    with pytest.raises(ImportError, match=r"python-swiftclient 5\.0: its Connection\.http_conn is not what it was"):
        swiftclient_private.require(opened, "5.0")
