"""An image below whose name others go on: what happens to it happens to none of them, on Swift and through nginx."""

from __future__ import annotations

import pytest

from tests import images
from tests.gateways import Gateway

pytestmark = [pytest.mark.slow, pytest.mark.parametrize("store_kind", ["swift"], indirect=True, scope="module")]

RED, GREEN, BLUE = (200, 10, 10), (10, 200, 10), (10, 10, 200)
PAIR = {"photos": RED, "photos/x.png": GREEN, "photos/x.png/y.png": BLUE}


@pytest.fixture(autouse=True)
def pair(gateway: Gateway) -> None:
    """All three are stored, and derived images of them are on disk."""
    for name, colour in PAIR.items():
        assert gateway.upload(name, images.png(images.flat(8, 8, colour)), replace="true").status_code == 201
    for name, colour in PAIR.items():
        assert shown(gateway, name) == colour
        assert cached(gateway, name)


def shown(gateway: Gateway, name: str) -> tuple[int, ...] | None:
    answer = gateway.public.get(f"/images/{name}/@w=4.png")
    return tuple(images.pixels(answer.content)[1, 1]) if answer.status_code == 200 else None


def cached(gateway: Gateway, name: str) -> bool:
    return gateway.public.get(f"/images/{name}/@w=4.png").headers["X-Cache"].startswith("HIT-DISK")


def others_are_cached(gateway: Gateway, changed: str) -> None:
    for name, colour in PAIR.items():
        if name != changed:
            assert cached(gateway, name), name
            assert shown(gateway, name) == colour


@pytest.mark.parametrize("changed", PAIR)
def test_a_purge_of_one_leaves_the_others_in_the_cache(gateway: Gateway, changed: str) -> None:
    assert gateway.api.delete(f"/images/{changed}/@").status_code == 204
    others_are_cached(gateway, changed)
    assert shown(gateway, changed) == PAIR[changed]


@pytest.mark.parametrize("changed", PAIR)
def test_a_purge_by_name_counts_its_own_files(gateway: Gateway, changed: str) -> None:
    purged = gateway.api.post("/purge", json={"names": [changed]}).json()
    assert (purged["images"], purged["files"]) == (1, 3)  # the marker, @meta.json and @w=4.png
    others_are_cached(gateway, changed)


@pytest.mark.parametrize("changed", PAIR)
def test_a_replacement_of_one_shows_the_others_as_they_were(gateway: Gateway, changed: str) -> None:
    new = images.png(images.flat(8, 8, (1, 2, 3)))
    assert gateway.upload(changed, new, replace="true").status_code == 201
    assert shown(gateway, changed) == (1, 2, 3)
    others_are_cached(gateway, changed)


def test_deleting_all_of_them_one_after_the_other_leaves_none(gateway: Gateway) -> None:
    for name in PAIR:
        assert gateway.api.delete(f"/images/{name}").status_code == 204
        assert shown(gateway, name) is None
    assert not (gateway.derived / "photos").exists()
