"""The folder of an image is moved away with the folders of others in it: they come back, whatever happens meanwhile."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.cache.disk import DerivedTree
from service.cache.images import cached_images
from service.cache.marker import fingerprint
from tests.cache.trees import name, paths, publish, tree_in

IMAGES = ("a", "a/b", "a/b/c", "a/b/c/d", "a/e", "a/e/c")


async def test_images_whose_names_go_on_below_a_forgotten_one_come_back(tree: DerivedTree) -> None:
    for image in ("photos", "photos/x.jpg", "photos/x.jpg/y", "photos/z", "photos.jpg"):
        publish(tree, image)
    others = {path for path in paths(tree) if not path.startswith("photos/@")}
    tree.forget("photos")
    await tree.settled()
    assert paths(tree) == others
    assert list((tree.root.parent / "work").rglob("photos")) == []


def test_an_image_that_was_moved_away_with_another_is_found_before_it_is_back(tree: DerivedTree) -> None:
    """Without an event loop nothing comes back by itself."""
    for image in ("photos", "photos/x.jpg", "photos/x.jpg/y"):
        publish(tree, image)
    tree.forget("photos")
    assert not (tree.root / "photos").exists()
    assert tree.marker("photos/x.jpg/y")
    assert tree.find(name("photos/x.jpg"))
    assert tree.find(name("photos")) is None


@pytest.mark.parametrize("change", ["forget", "publish"])
async def test_an_image_that_changes_while_it_is_moved_away_does_not_come_back(tree: DerivedTree, change: str) -> None:
    for image in ("photos", "photos/x.jpg", "photos/y.jpg"):
        publish(tree, image, 1, "old")
    tree.forget("photos")
    if change == "forget":
        tree.forget("photos/x.jpg")
    else:
        publish(tree, "photos/x.jpg", 2, "new")
    await tree.settled()
    assert tree.find(name("photos/x.jpg", 1)) is None
    assert (tree.find(name("photos/x.jpg", 2)) is None) == (change == "forget")
    assert tree.find(name("photos/y.jpg", 1))


async def test_what_is_published_after_an_image_was_forgotten_stays(tree: DerivedTree) -> None:
    """The folder is new by then, and the old one is still being looked through."""
    for image in ("photos", "photos/x.jpg"):
        publish(tree, image, 1, "old")
    tree.forget("photos")
    publish(tree, "photos", 2, "new")
    await tree.settled()
    assert {path for path in paths(tree) if path.startswith("photos/@")} == {"photos/@base", "photos/@w=2.jpg"}
    assert tree.find(name("photos/x.jpg"))
    assert tree.usage.files == sum(1 for _ in tree.root.rglob("*"))


async def test_folders_that_were_moved_away_in_one_another_come_back(tree: DerivedTree) -> None:
    """The inner one must not take the place of the outer one."""
    for image in ("photos", "photos/x.jpg", "photos/x.jpg/y"):
        publish(tree, image, 1, "old")
    publish(tree, "photos/x.jpg", 2, "new")
    publish(tree, "photos", 2, "new")
    await tree.settled()
    assert paths(tree) == {
        *("photos/@base", "photos/@w=2.jpg"),
        *("photos/x.jpg/@base", "photos/x.jpg/@w=2.jpg"),
        *("photos/x.jpg/y/@base", "photos/x.jpg/y/@w=1.jpg"),
    }
    assert tree.usage.files == sum(1 for _ in tree.root.rglob("*"))


@given(changes=st.lists(st.tuples(st.sampled_from(IMAGES), st.sampled_from(["old", "new", None])), max_size=30))
def test_whatever_is_forgotten_or_replaced_in_one_another_the_other_images_stay(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[str, str | None]]
) -> None:
    """None forgets the image. Nothing comes back by itself until all is settled."""
    tree = tree_in(tmp_path_factory.mktemp("tree"))
    held: dict[str, str] = {}
    for image, etag in changes:
        if etag is None:
            tree.forget(image)
            held.pop(image, None)
        else:
            publish(tree, image, 1, etag)
            held[image] = etag
    asyncio.run(tree.settled())
    assert {cached.name: cached.fingerprint for cached in cached_images(tree.root)} == {
        image: fingerprint(etag, 1000) for image, etag in held.items()
    }
    assert tree.usage.files == sum(1 for _ in tree.root.rglob("*"))
