"""A start keeps what it can trust: not what other software or options made, nor what a crash may have damaged."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from gateway.marker import LAYOUT
from service.cache.generation import SETTLED, Generation
from service.cache.marker import read_marker
from tests import images
from tests.cache.nodes import node
from tests.cache.trees import paths, publish, tree_in

PHOTO = images.jpeg(images.photo(64, 48))


async def test_a_restart_serves_what_it_finds(tmp_path: Path) -> None:
    async with node(tmp_path) as first:
        await first.upload("a.jpg", PHOTO)
        made = await first.api("a.jpg/@w=20.jpg")
    async with node(tmp_path) as second:
        found = await second.api("a.jpg/@w=20.jpg")
        assert (found.headers["X-Cache"], found.body) == ("HIT-DISK", made.body)
        assert found.headers["ETag"] == made.headers["ETag"]
        assert second.made == 0


@pytest.mark.parametrize(
    "options", [{"formats": {"quality": {"jpg": 20}}}, {"formats": {"out": ["jpg", "webp"]}}, {"limits": {"width": 60}}]
)
async def test_what_other_options_made_is_made_anew(tmp_path: Path, options: dict[str, object]) -> None:
    async with node(tmp_path) as first:
        await first.upload("a.jpg", PHOTO)
        before = await first.api("a.jpg/@w=20.jpg")
        assert before.headers["X-Cache"] == "MISS"
    async with node(tmp_path, options) as second:
        after = await second.api("a.jpg/@w=20.jpg")
        assert after.headers["X-Cache"] == "MISS"
        if "quality" in str(options):
            assert len(after.body) < len(before.body)
            assert after.headers["ETag"] != before.headers["ETag"]


async def test_markers_of_another_layout_are_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("service.cache.generation.LAYOUT", LAYOUT - 1)
        async with node(tmp_path) as first:
            await first.upload("a.gif", images.gif_animated())
            await first.api("a.gif/@w=20.avif")
    old = tmp_path / "var/cache/derived/a.gif/@base"
    etag, modified = old.read_text().split()[2], old.read_text().split()[-1]
    old.write_text(f"gif gif {etag}\n{modified}\n")
    assert read_marker(old) is None
    async with node(tmp_path, nginx=True) as second:
        for ask in (second.public, second.public, second.api):
            assert (await ask("a.gif/@w=20.auto", Accept="image/avif")).headers["Content-Type"] == "image/avif"
        marker = read_marker(old)
        assert marker is not None
        assert (marker.etag, marker.shape.frames) == (etag, 5)


async def test_an_original_that_was_replaced_while_the_node_was_down_is_noticed_at_once(tmp_path: Path) -> None:
    async with node(tmp_path) as first:
        await first.upload("a.png", images.png(images.flat(8, 8, (1, 1, 1))))
        await first.upload("b.png", images.png(images.flat(8, 8, (1, 1, 1))))
        for name in ("a.png", "b.png"):
            await first.api(f"{name}/@w=4.png")
    (tmp_path / "var/store/a.png").write_bytes(images.png(images.flat(8, 8, (2, 2, 2))))
    (tmp_path / "var/store/b.png").unlink()
    async with node(tmp_path) as second:
        await second.context.tasks.revalidation.sweep()
        assert (await second.api("a.png/@w=4.png")).colour == (2, 2, 2)
        assert (await second.api("b.png/@w=4.png")).status == 404
        assert not (second.derived / "b.png").exists()


def test_after_a_crash_of_the_machine_what_was_not_surely_written_goes(tmp_path: Path) -> None:
    tree = tree_in(tmp_path)
    before = Generation(tmp_path, "x", boot="first")
    assert before.changed
    before.begin()
    old = publish(tree, "old").path
    os.utime(old)
    before.sync()
    record = (tmp_path / "caches.json").read_text()
    later = f"{time.time() + 0.01:.6f}"
    (tmp_path / "caches.json").write_text(record.replace(record.split('"synced": ')[1].split(",")[0], later))
    time.sleep(0.05)
    publish(tree, "young")

    same_boot = Generation(tmp_path, "x", boot="first")
    assert (same_boot.changed, same_boot.distrust(tree.root)) == (False, 0)
    next_boot = Generation(tmp_path, "x", boot="second")
    assert next_boot.distrust(tree.root) == 2
    assert paths(tree) == {"old/@base", "old/@w=1.jpg"}


def test_after_a_clean_stop_another_boot_changes_nothing(tmp_path: Path) -> None:
    tree = tree_in(tmp_path)
    before = Generation(tmp_path, "x", boot="first")
    before.begin()
    publish(tree, "young")
    before.sync(clean=True)
    assert Generation(tmp_path, "x", boot="second").distrust(tree.root) == 0


def test_files_of_the_seconds_before_a_sync_are_not_trusted(tmp_path: Path) -> None:
    """The clocks of files and processes differ a little: better a few files too many."""
    assert SETTLED >= 1
    tree = tree_in(tmp_path)
    before = Generation(tmp_path, "x", boot="first")
    before.begin()
    publish(tree, "young")
    before.sync()
    assert Generation(tmp_path, "x", boot="second").distrust(tree.root) == 2


@pytest.mark.parametrize("record", ["", "{", "[]", '{"made_by": 1}'])
def test_a_damaged_record_means_that_nothing_is_known(tmp_path: Path, record: str) -> None:
    (tmp_path / "caches.json").write_text(record)
    assert Generation(tmp_path, "x").changed
