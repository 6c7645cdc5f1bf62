"""One image has no more derived images on a node than the option says; those that were unused for longest go."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from service.cache.crowds import Crowds
from service.cache.disk import DerivedTree
from service.cache.janitor import Janitor
from service.cache.usage import Budget
from tests import images
from tests.cache.nodes import node
from tests.cache.trees import paths, publish, read, tree_in


def crowds_of(tree: DerivedTree, most: int) -> Crowds:
    crowds = Crowds(most, tree.evict)
    tree.published = crowds.published
    return crowds


def leaves(tree: DerivedTree, image: str) -> set[str]:
    """The derived images of an image, without its marker."""
    found = {path.rpartition("/")[2] for path in paths(tree) if path.rpartition("/")[0] == image}
    return found - {"@base"}


async def test_what_was_unused_for_longest_goes_and_no_other_image_loses_anything(tree: DerivedTree) -> None:
    crowds = crowds_of(tree, 40)
    for width in range(1, 31):
        publish(tree, "b", width)
    files = [publish(tree, "a", width).path for width in range(1, 31)]
    time.sleep(0.02)  # the grain of the clock that files are stamped by
    for file in files[:10]:
        read(file)
    later = [publish(tree, "a", width).path for width in range(31, 46)]
    assert await crowds.trim() == 9
    assert all(file.exists() for file in [*files[:10], *later])
    assert len(leaves(tree, "a")) == 36
    assert len(leaves(tree, "b")) == 30
    assert tree.marker("a")
    assert tree.usage.files == sum(1 for _ in tree.root.rglob("*"))
    assert crowds.trimmed == 9


async def test_an_image_never_has_many_more(tree: DerivedTree) -> None:
    crowds = crowds_of(tree, 160)
    for width in range(1, 400):
        publish(tree, "a", width)
        await crowds.trim()
        assert len(leaves(tree, "a")) <= 170


async def test_no_number_is_no_limit(tree: DerivedTree) -> None:
    crowds = crowds_of(tree, 0)
    for width in range(1, 60):
        publish(tree, "a", width)
    assert await crowds.trim() == 0


async def test_the_count_of_a_tree_finds_what_a_process_before_left(
    tree: DerivedTree, executor: ThreadPoolExecutor
) -> None:
    for image in ("photos", "photos/a", "photos/b", "x" * 300):
        for width in range(1, 31 if image != "photos/b" else 11):
            publish(tree, image, width)
    again = tree_in(tree.root.parent)
    crowds = crowds_of(again, 20)
    await Janitor(again, Budget.of(10**9), executor, crowds.counted).count()
    await crowds.trim()
    numbers = {folder: len(leaves(again, folder)) for folder in ("photos", "photos/a", "photos/b")}
    assert numbers == {"photos": 18, "photos/a": 18, "photos/b": 10}
    (hashed,) = (again.root / "@").iterdir()
    assert len(leaves(again, f"@/{hashed.name}")) == 18


async def test_a_service_keeps_to_it_and_tells(tmp_path: Path) -> None:
    async with node(tmp_path, {"cache": {"derived_per_image": 16}}) as one:
        await one.upload("a.png", images.png(images.flat(64, 64, (1, 2, 3))))
        folder = one.derived / "a.png"
        for number in range(40):
            (folder / f"@w={number},up=1.jpg").touch()
            os.utime(folder / f"@w={number},up=1.jpg", (0, 1000))
        assert (await one.api("a.png/@w=9.png")).status == 200
        while one.context.tasks.crowds.trimmed == 0:
            assert (await one.api("a.png/@w=8.png")).status == 200
        assert len(list(folder.iterdir())) <= 18
        async with one.client.get(f"http://{one.config.api.listen}/metrics") as answer:
            assert f"image_gateway_cache_trimmed_total {one.context.tasks.crowds.trimmed}" in await answer.text()
