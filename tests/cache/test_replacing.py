"""Replacing, deleting and purging: what was answered for says what is there, at once and for ever, on both ports."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests import images
from tests.cache.nodes import Node, node

READS = 4000


@pytest.fixture
async def one(tmp_path: Path) -> AsyncIterator[Node]:
    async with node(tmp_path, nginx=True) as running:
        yield running


def picture(generation: int) -> bytes:
    """An image that tells its generation by its colour."""
    return images.png(images.flat(8, 8, (generation % 256, generation // 256, 77)))


def generation_of(colour: tuple[int, ...]) -> int:
    red, green, blue = colour
    assert blue == 77
    return red + 256 * green


async def test_no_read_that_begins_after_a_replacement_was_answered_sees_an_older_image(one: Node) -> None:
    """Hits, misses and negotiated names on both ports, while the image is replaced without a pause."""
    settled, reads = 0, itertools.count()
    assert (await one.upload("x.png", picture(0))).status == 201
    recipes = ["/@full.png", "/@w=4.png", "?w=3", "", "/@full.bmp", "/@w=5,lossless=1.webp", "/@w=6,lossless=1.auto"]

    async def replace() -> None:
        nonlocal settled
        for generation in itertools.count(1):
            assert (await one.upload("x.png", picture(generation))).status == 201
            settled = generation

    async def read(number: int) -> None:
        ask = one.public if number % 2 else one.api
        for turn in reads:
            if turn >= READS:
                return
            began = settled
            answer = await ask(f"x.png{recipes[turn % len(recipes)]}", Accept="image/webp")
            assert answer.status == 200, answer.body
            assert generation_of(answer.colour) >= began

    replacing = asyncio.create_task(replace())
    await asyncio.gather(*(read(number) for number in range(8)))
    assert settled > 20
    replacing.cancel()
    await asyncio.gather(replacing, return_exceptions=True)
