"""Listings: pages, folders, regular expressions, lines."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from service.api.selection import Selection, compile_pattern
from service.store.base import Page, StoredObject
from tests.gateways import Gateway

NAMES = ("a.jpg", "b/one.jpg", "b/two.png", "c.jpg", "ä.jpg")


@pytest.fixture(scope="module")
def listed(shared: Gateway, dog: bytes) -> str:
    for name in NAMES:
        assert shared.upload(f"listed/{name}", dog).status_code == 201
    return "listed/"


def names(shared: Gateway, prefix: str, **parameters: object) -> list[str]:
    """All names of all pages."""
    found: list[str] = []
    path: str | None = "/images"
    query: dict[str, object] | None = {"prefix": prefix, **parameters}
    while path is not None:
        answered = shared.api.get(path, params=query)  # type: ignore[arg-type]
        assert answered.status_code == 200, answered.text
        page = answered.json()
        assert len(page["images"]) + len(page["folders"]) <= int(str(parameters.get("limit", 1000)))
        found += [one["name"].removeprefix(prefix) for one in page["images"]]
        found += [one.removeprefix(prefix) for one in page["folders"]]
        path, query = page["next"], None
        assert answered.headers.get("Link") == (f'<{path}>; rel="next"' if path else None)
    return found


@pytest.mark.parametrize("limit", [1, 2, 5, 1000])
def test_pages_give_every_name_once_in_order(shared: Gateway, listed: str, limit: int) -> None:
    assert names(shared, listed, limit=limit) == list(NAMES)


@pytest.mark.parametrize("limit", [1, 1000])
def test_a_delimiter_folds_folders(shared: Gateway, listed: str, limit: int) -> None:
    assert sorted(names(shared, listed, delimiter="/", limit=limit)) == ["a.jpg", "b/", "c.jpg", "ä.jpg"]


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
def test_a_regular_expression_finds_itself_anywhere_in_a_name(
    shared: Gateway, listed: str, regex: str, found: list[str], limit: int
) -> None:
    assert names(shared, listed, regex=regex, limit=limit) == found


def test_a_listed_image_is_told_as_it_is(shared: Gateway, listed: str, dog: bytes) -> None:
    one = shared.api.get("/images", params={"prefix": f"{listed}a"}).json()["images"][0]
    original = shared.api.head(f"/images/{listed}a.jpg", params={"original": "true"})
    assert (one["bytes"], one["content_type"]) == (len(dog), "image/png")
    assert original.headers["ETag"] == f'"{one["etag"]}"'
    age = datetime.now(UTC) - datetime.fromisoformat(one["modified"])
    assert abs(age.total_seconds()) < 3600


def test_lines_give_everything_at_once(shared: Gateway, listed: str) -> None:
    lines = shared.api.get("/images", params={"prefix": listed}, headers={"Accept": "application/x-ndjson"})
    assert lines.headers["Content-Type"] == "application/x-ndjson"
    assert [json.loads(line)["name"].removeprefix(listed) for line in lines.text.splitlines()] == list(NAMES)
    few = shared.api.get(
        "/images", params={"prefix": listed, "delimiter": "/", "limit": 2}, headers={"Accept": "application/x-ndjson"}
    )
    assert [json.loads(line).get("folder", "") for line in few.text.splitlines()] == ["", f"{listed}b/"]


@pytest.mark.parametrize(
    ("parameter", "value", "word"),
    [
        ("limit", "0", "at least 1"),
        ("limit", "10001", "at most 10000"),
        ("limit", "many", "a whole number"),
        ("regex", "(", "missing )"),
        ("regex", "x" * 1001, "1000"),
        ("limits", "3", "there are prefix"),
    ],
)
def test_what_makes_no_sense_is_refused_by_its_name(shared: Gateway, parameter: str, value: str, word: str) -> None:
    refused = shared.api.get("/images", params={parameter: value})
    assert refused.status_code == 400
    assert refused.json()["detail"].startswith(f"{parameter}: ")
    assert word in refused.json()["detail"]
    assert shared.api.get("/images", params={"regex": "x", "delimiter": "/"}).status_code == 400


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
