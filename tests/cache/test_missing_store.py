"""A directory store that is not where it was, such as on a disk that is not mounted: it is waited for. It is never
taken for a store without images."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cache.nodes import node
from tests.images import flat, png

KEPT, NEW = "red.png/@w=20.png", "red.png/@w=21.png"


@pytest.mark.parametrize("where", ["var/store", "disk/pictures"])
async def test_a_store_that_is_missing_at_a_start_costs_no_image(tmp_path: Path, where: str) -> None:
    store, away = tmp_path / where, tmp_path / "away"
    store.parent.mkdir(parents=True)
    options = {"store": {"directory": {"root": str(store)}}, "cache": {"revalidate": "1s"}}
    async with node(tmp_path, options, nginx=True) as first:
        assert (await first.upload("red.png", png(flat()))).status == 201
        kept = await first.public(KEPT)
        assert kept.status == 200
    store.rename(away)
    async with node(tmp_path, options, nginx=True) as second:
        found = await second.public(KEPT)
        assert (found.headers["X-Cache"], found.headers["ETag"]) == ("HIT-DISK", kept.headers["ETag"])
        assert (await second.public(NEW)).status == 503
        assert (await second.upload("blue.png", png(flat()))).status == 503
        assert not store.exists()
        away.rename(store)
        assert (await second.public(NEW)).status == 200
        assert (await second.public(KEPT)).headers["X-Cache"] == "HIT-DISK"
