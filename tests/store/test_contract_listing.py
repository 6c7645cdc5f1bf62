"""What every store promises of its listings."""

import itertools
import random
import time
from pathlib import Path
from typing import Any

import pytest

from service.store.base import Container, Page, Store
from tests.swift.stores import put


async def all_pages(container: Container, **query: Any) -> list[Page]:
    pages = [await container.list(**query)]
    while pages[-1].marker is not None:
        pages.append(await container.list(**query | {"marker": pages[-1].marker}))
    return pages


def model(names: list[str], prefix: str, delimiter: str, marker: str) -> list[str]:
    """The items of a listing, in order, by a plain loop: folders end where the delimiter does."""
    found: list[str] = []
    for name in sorted(names, key=str.encode):
        if not name.startswith(prefix) or name.encode() <= marker.encode():
            continue
        end = name.find(delimiter, len(prefix)) if delimiter else -1
        item = name if end < 0 else name[: end + len(delimiter)]
        if item != marker and (not found or found[-1] != item):
            found.append(item)
    return found


async def test_listings_give_every_name_once_in_byte_order(store: Store, tmp_path: Path) -> None:
    names = ["a.jpg", "a/1", "a/2/x", "a/2/y", "a/30", "a-b", "b/c/d", "b/c.jpg", "b/c0", "ä", "é/x", "z", "Z", "zz/1"]
    for name in random.sample(names, len(names)):
        await put(store.originals, tmp_path, name, name.encode())
    queries = itertools.product(
        ["", "a", "a/", "a/2/", "b/c", "zz/1", "none", "b/c/d/e", "../", "/"], ["", "/", "2"], [1, 2, 3, 5, 100]
    )
    for prefix, delimiter, limit in queries:
        pages = await all_pages(store.originals, prefix=prefix, delimiter=delimiter, limit=limit)
        items = [sorted([*(each.name for each in page.objects), *page.folders], key=str.encode) for page in pages]
        assert [item for page in items for item in page] == model(names, prefix, delimiter, ""), (prefix, delimiter)
        assert all(len(page) == limit for page in items[:-1])


@pytest.mark.parametrize("marker", ["a", "a/", "a/2", "a/2/", "a/2/x", "a/2/y", "a0", "b/c", "b/c/", "zzz"])
@pytest.mark.parametrize("delimiter", ["", "/"])
async def test_a_listing_goes_on_after_any_marker(store: Store, tmp_path: Path, marker: str, delimiter: str) -> None:
    names = ["a.jpg", "a/1", "a/2/x", "a/2/y", "b/c/d", "b/c0", "zz/1"]
    for name in names:
        await put(store.originals, tmp_path, name)
    page = await store.originals.list(marker=marker, delimiter=delimiter)
    found = sorted([*(each.name for each in page.objects), *page.folders], key=str.encode)
    assert found == model(names, "", delimiter, marker)


async def test_listing_stat_put_and_fetch_agree_on_what_is_stored(store: Store, tmp_path: Path) -> None:
    put_object = await put(store.originals, tmp_path, "a/b.jpg", b"x" * 1000)
    stat = await store.originals.stat("a/b.jpg")
    fetched = await store.originals.fetch("a/b.jpg", tmp_path / "target")
    listed = (await store.originals.list()).objects[0]
    assert put_object == stat == fetched == listed
    assert abs(stat.modified - time.time()) < 60
