"""The derived container: it is used when it tells of the current original, and never holds an old image for long."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from importlib import metadata
from pathlib import Path

import pytest
from wand.version import MAGICK_VERSION

from gateway.names import Name
from service.store.base import NewObject
from service.store.errors import Unavailable
from tests import images
from tests.cache.nodes import Node, node

NAME = Name("a.png", {"w": "4"}, "png")


def picture(number: int) -> bytes:
    return images.png(images.flat(8, 8, (number, 255 - number, 7)))


@pytest.fixture
async def one(tmp_path: Path) -> AsyncIterator[Node]:
    async with node(tmp_path, {"cache": {"persist": "always"}}) as running:
        await running.upload("a.png", picture(1))
        yield running


async def settled(one: Node) -> None:
    await one.context.derivatives.close()


async def kept_names(one: Node) -> list[str]:
    """What the derived container holds, without metadata."""
    page = await one.context.store.derived.list()
    return [kept.name for kept in page.objects if not kept.name.endswith(".json")]


async def test_what_one_node_kept_another_need_not_make(one: Node) -> None:
    made = await one.api(str(NAME))
    await settled(one)
    one.context.derivatives.forget("a.png")
    before = one.made
    found = await one.api(str(NAME))
    assert (found.headers["X-Cache"], found.body) == ("HIT-STORE", made.body)
    assert found.headers["ETag"] == made.headers["ETag"]
    assert one.made == before


async def test_what_is_kept_names_the_library_and_the_versions_that_made_it(one: Node) -> None:
    await one.api(str(NAME))
    await settled(one)
    found = await one.context.store.derived.stat(str(NAME))
    said = found.metadata["software"]
    assert said.startswith("engine.library auto, formats.gamut srgb, formats.effort jpg=0 png=0 webp=4 avif=1 jxl=3; ")
    for package in ("image-gateway", "wand", "pillow"):
        assert f"{package} {metadata.version(package)}" in said
    assert MAGICK_VERSION in said


async def test_what_was_kept_by_the_other_choice_of_library_is_made_again(tmp_path: Path) -> None:
    options = {"cache": {"persist": "always"}}
    async with node(tmp_path, options) as auto:
        await auto.upload("a.png", picture(1))
        await auto.api(str(NAME))
        await settled(auto)
    chosen = {**options, "engine": {"library": "imagemagick"}}
    async with node(tmp_path, chosen) as other:
        assert (await other.api(str(NAME))).headers["X-Cache"] == "MISS"
        await settled(other)
        found = await other.context.store.derived.stat(str(NAME))
    assert found.metadata["software"].startswith("engine.library imagemagick, formats.gamut srgb, ")


async def test_what_was_kept_of_another_original_is_not_used(one: Node) -> None:
    await one.api(str(NAME))
    await settled(one)
    (one.root / "var/store/a.png").write_bytes(picture(2))
    await one.context.tasks.revalidation.sweep()
    answer = await one.api(str(NAME))
    assert (answer.headers["X-Cache"], answer.colour) == ("MISS", (2, 253, 7))


async def test_what_is_replaced_between_the_question_and_the_transfer_is_not_used(one: Node) -> None:
    """Another node puts its own in place just then."""
    await one.api(str(NAME))
    await settled(one)
    one.context.derivatives.forget("a.png")
    container = one.context.store.derived
    fetch = container.fetch

    async def replaced_first(name: str, target: Path) -> object:
        file = one.root / "old"
        file.write_bytes(b"old")
        await container.put(NewObject(name, file, "image/png", "149603e6c03516362a8da23f624db945"))
        return await fetch(name, target)

    container.fetch = replaced_first  # type: ignore[method-assign,assignment]
    assert (await one.api(str(NAME))).colour == (1, 254, 7)


async def test_a_replacement_while_it_is_being_kept_leaves_nothing_old_behind(one: Node) -> None:
    container = one.context.store.derived
    put = container.put
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow(*arguments: object, **more: object) -> object:
        begun.set()
        await go_on.wait()
        return await put(*arguments, **more)  # type: ignore[arg-type]

    container.put = slow  # type: ignore[method-assign,assignment]
    keeping = asyncio.create_task(one.context.derivatives.persist(NAME, lane="api"))
    await begun.wait()
    assert (await one.upload("a.png", picture(3))).status == 201
    container.put = put  # type: ignore[method-assign]
    go_on.set()
    found = await keeping
    assert found.original == (await one.context.originals.stat("a.png")).etag
    kept = one.root / "kept.png"
    await container.fetch(str(NAME), kept)
    assert kept.read_bytes() == (await one.api(str(NAME))).body
    assert (await one.api(str(NAME))).colour == (3, 252, 7)
    await settled(one)
    assert await kept_names(one) == [str(NAME)]


async def test_purging_empties_the_container_of_the_image_and_of_no_other(one: Node) -> None:
    await one.upload("a.png.b/c.png", picture(5))
    for image in ("a.png", "a.png.b/c.png"):
        for width in (3, 4):
            await one.api(f"{image}/@w={width}.png")
    await settled(one)
    await one.context.derivatives.forget_everywhere("a.png")
    assert await kept_names(one) == ["a.png.b/c.png/@w=3.png", "a.png.b/c.png/@w=4.png"]


async def test_a_container_that_does_not_answer_hinders_nobody(one: Node) -> None:
    async def fail(*_: object, **__: object) -> object:
        raise Unavailable("gone")

    container = one.context.store.derived
    container.stat = container.put = fail  # type: ignore[method-assign,assignment]
    assert (await one.api(str(NAME))).status == 200
    await settled(one)
