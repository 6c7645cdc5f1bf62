"""Originals that Swift deletes at a time, and originals that were deleted behind the gateway's back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from service.store.errors import NotFound
from tests import images
from tests.cache.nodes import Node, node
from tests.conftest import swift_options
from tests.swift.server import SwiftServer
from tests.swift.stores import client
from tests.waiting import eventually

pytestmark = pytest.mark.slow

PICTURE = images.png(images.flat(8, 8, (7, 8, 9)))
LONG = 600  # seconds: an end that is not met while a test runs, far below the usual max-age


@pytest.fixture
async def on_swift(swift: SwiftServer, tmp_path: Path) -> AsyncIterator[tuple[Node, Any, str, str]]:
    """A node with nginx, Swift's own client, and the two containers."""
    options = swift_options(swift)
    containers = options["store"]["swift"]
    async with node(tmp_path, {**options, "cache": {"revalidate": "1h"}}, nginx=True) as running:
        yield running, client(swift.url), containers["container"], containers["derived_container"]


def max_age(cache_control: str) -> int:
    assert "immutable" not in cache_control
    return int(cache_control.partition("max-age=")[2])


async def test_nothing_derived_of_an_original_that_ends_outlasts_it(on_swift: tuple[Node, Any, str, str]) -> None:
    node, swift, originals, derived = on_swift
    ends = int(time.time()) + LONG
    etag = swift.put_object(originals, "a.png", PICTURE, headers={"X-Delete-At": str(ends)})
    asked = ("a.png/@w=4.png", f"a.png/@w=4.png?v={etag}", "a.png?w=4&format=png", "a.png/@w=4.auto", "a.png/@w=4.auto")
    levels = []
    for name in asked:
        answer = await node.public(name)
        assert answer.status == 200
        assert max_age(answer.headers["Cache-Control"]) <= ends - time.time() + 1
        levels.append(answer.headers["X-Cache"])
    assert levels == ["MISS", "HIT-DISK", "HIT-DISK", "MISS", "HIT-DISK"]
    assert not list((node.derived / "a.png").glob("@w=*"))  # which nginx would send without reading the marker
    await eventually(lambda: not node.context.derivatives.maker.backlog)
    assert swift.head_object(derived, "a.png/@w=4.png")["x-delete-at"] == str(ends)


async def test_an_image_ends_with_its_original_to_the_second(on_swift: tuple[Node, Any, str, str]) -> None:
    node, swift, originals, _ = on_swift
    await node.upload("a.png", PICTURE)
    assert (await node.public("a.png/@w=4.png")).status == 200  # the engine has begun, and the next image is soon made
    for seconds in (5, 20, 80):  # a busy machine may make nothing within five
        image = f"b{seconds}.png"
        if await is_shown_until(node, swift, originals, image, int(time.time()) + seconds):
            break
    else:
        raise AssertionError("nothing is made in time")
    for name in (f"{image}/@w=4.png", f"{image}/@w=4.auto"):
        assert (await node.public(name)).status == 404
        assert (await node.api(name)).status == 404


async def is_shown_until(node: Node, swift: Any, originals: str, image: str, ends: int) -> bool:
    """Store an original that ends then, and return at its end whether a derived image was shown before."""
    swift.put_object(originals, image, PICTURE, headers={"X-Delete-At": str(ends)})
    shown = False
    while time.time() < ends:
        shown |= (await node.public(f"{image}/@w=4.png")).status == 200
        await asyncio.sleep(0.1)
    return shown


async def test_a_deletion_of_what_is_gone_removes_what_is_left_of_it(on_swift: tuple[Node, Any, str, str]) -> None:
    node, swift, originals, derived = on_swift
    await node.upload("c.png", PICTURE)
    assert (await node.public("c.png/@w=4.png")).status == 200
    await eventually(lambda: not node.context.derivatives.maker.backlog)
    assert swift.head_object(derived, "c.png/@w=4.png")
    swift.delete_object(originals, "c.png")
    assert (await node.public("c.png/@w=4.png")).status == 200  # the node does not know yet
    assert (await node.delete("c.png")).status == 404
    assert (await node.public("c.png/@w=4.png")).status == 404
    assert not swift.get_container(derived, prefix="c.png/")[1]


async def test_no_temporary_url_leads_to_an_image_of_an_original_that_is_gone(
    on_swift: tuple[Node, Any, str, str],
) -> None:
    node, swift, originals, derived = on_swift
    await node.upload("d.png", PICTURE)
    assert (await node.api("d.png/@w=4.png")).status == 200
    assert (await node.api("d.png/@w=4.png?url=true")).status == 200
    swift.delete_object(originals, "d.png")
    assert (await node.api("d.png/@w=4.png?url=true")).status == 404
    await eventually(lambda: "d.png" not in node.context.derivatives.takedowns)
    assert not swift.get_container(derived, prefix="d.png/")[1]
    with pytest.raises(NotFound):
        await node.context.store.originals.stat("d.png")
