"""Listings: pages, folders, regular expressions, lines."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient
from pytest_aiohttp import AiohttpClient
from yarl import URL

from service.api.http.context import CONTEXT
from service.api.resources.selection import Selection, compile_pattern
from service.store.base import Page, StoredObject
from tests.api.handlers import handlers, put

PREFIX = "listed/"
NAMES = ("a.jpg", "b/one.jpg", "b/two.png", "c.jpg", "ä.jpg")


@pytest.fixture
async def api(aiohttp_client: AiohttpClient, tmp_path: Path, dog: bytes) -> AsyncIterator[TestClient[Any, Any]]:
    """The API's handlers in this process, on a store that holds NAMES below PREFIX."""
    async with handlers(tmp_path) as (app, store):
        for name in NAMES:
            await put(store, tmp_path / "scratch", f"{PREFIX}{name}", dog, "image/png")
        yield await aiohttp_client(app)


async def names(api: TestClient[Any, Any], **parameters: str | int) -> list[str]:
    """All names of all pages."""
    found: list[str] = []
    path: str | None = "/images"
    query: dict[str, str | int] | None = {"prefix": PREFIX, **parameters}
    while path is not None:
        answered = await api.get(URL(path, encoded=True), params=query)
        assert answered.status == 200, await answered.text()
        page = await answered.json()
        assert len(page["images"]) + len(page["folders"]) <= int(str(parameters.get("limit", 1000)))
        found += [one["name"].removeprefix(PREFIX) for one in page["images"]]
        found += [one.removeprefix(PREFIX) for one in page["folders"]]
        path, query = page["next"], None
        assert answered.headers.get("Link") == (f'<{path}>; rel="next"' if path else None)
    return found


@pytest.mark.parametrize("limit", [1, 2, 5, 1000])
async def test_pages_give_every_name_once_in_order(api: TestClient[Any, Any], limit: int) -> None:
    assert await names(api, limit=limit) == list(NAMES)


@pytest.mark.parametrize("limit", [1, 1000])
async def test_a_delimiter_folds_folders(api: TestClient[Any, Any], limit: int) -> None:
    assert sorted(await names(api, delimiter="/", limit=limit)) == ["a.jpg", "b/", "c.jpg", "ä.jpg"]


@pytest.mark.parametrize("limit", [1, 2, 1000])
@pytest.mark.parametrize(
    ("regex", "found"),
    [
        (r"\.png$", ["b/two.png"]),
        (r"^listed/[ac]", ["a.jpg", "c.jpg"]),
        ("ä", ["ä.jpg"]),
        ("(?i)ONE", ["b/one.jpg"]),
        ("x", []),
    ],
)
async def test_a_regular_expression_finds_itself_anywhere_in_a_name(
    api: TestClient[Any, Any], regex: str, found: list[str], limit: int
) -> None:
    assert await names(api, regex=regex, limit=limit) == found


async def test_a_listed_image_is_told_as_it_is(api: TestClient[Any, Any], dog: bytes) -> None:
    (one,) = (await (await api.get("/images", params={"prefix": f"{PREFIX}a"})).json())["images"]
    assert (one["bytes"], one["content_type"]) == (len(dog), "image/png")
    stored = await api.app[CONTEXT].store.originals.stat(f"{PREFIX}a.jpg")
    assert one["etag"] == stored.etag
    age = datetime.now(UTC) - datetime.fromisoformat(one["modified"])
    assert abs(age.total_seconds()) < 3600


async def test_lines_give_everything_at_once(api: TestClient[Any, Any]) -> None:
    asked = {"Accept": "application/x-ndjson"}
    lines = await api.get("/images", params={"prefix": PREFIX}, headers=asked)
    assert lines.headers["Content-Type"] == "application/x-ndjson"
    found = [json.loads(line)["name"] for line in (await lines.text()).splitlines()]
    assert found == [f"{PREFIX}{name}" for name in NAMES]
    few = await api.get("/images", params={"prefix": PREFIX, "delimiter": "/", "limit": 2}, headers=asked)
    folders = [json.loads(line).get("folder", "") for line in (await few.text()).splitlines()]
    assert folders == ["", f"{PREFIX}b/"]


@pytest.mark.parametrize(
    ("parameter", "value", "word"),
    [
        ("limit", "0", "at least 1"),
        ("limit", "10001", "at most 10000"),
        ("limit", "many", "a whole number"),
        ("regex", "(", "missing )"),
        ("regex", "x" * 1001, "1000"),
        ("limits", "3", "did you mean limit?"),
    ],
)
async def test_what_makes_no_sense_is_refused_by_its_name(
    api: TestClient[Any, Any], parameter: str, value: str, word: str
) -> None:
    refused = await api.get("/images", params={parameter: value})
    detail = (await refused.json(content_type="application/problem+json"))["detail"]
    assert refused.status == 400
    assert detail.startswith(f"{parameter}: ")
    assert word in detail


async def test_a_regular_expression_and_a_delimiter_exclude_each_other(api: TestClient[Any, Any]) -> None:
    assert (await api.get("/images", params={"regex": "x", "delimiter": "/"})).status == 400


class Endless:
    """A container of a million names, a page at a time."""

    asked = 0

    async def list(self, *, prefix: str, delimiter: str, marker: str, limit: int, typed: bool) -> Page:
        self.asked += 1
        start = int(marker or -1) + 1
        end = min(start + limit, 10**6)
        found = [StoredObject(f"{number:07}", 1, "etag", 0.0) for number in range(start, end)]
        return Page(found, [], found[-1].name if end < 10**6 else None)


async def test_a_page_looks_at_so_many_names_and_says_where_it_stopped() -> None:
    container = Endless()
    selection = Selection(pattern=compile_pattern("^x"))
    page = await selection.first(container, 10, scan=25_000)  # type: ignore[arg-type]
    assert (page.objects, page.marker, container.asked) == ([], "0024999", 5)


async def test_a_full_page_ends_at_its_last_match() -> None:
    selection = Selection(pattern=compile_pattern("00$"))
    page = await selection.first(Endless(), 3)  # type: ignore[arg-type]
    assert [one.name for one in page.objects] == ["0000000", "0000100", "0000200"]
    assert page.marker == "0000200"
