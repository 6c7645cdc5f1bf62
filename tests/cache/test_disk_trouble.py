"""A disk that is full, read-only or broken: every request is answered, nothing is kept, and it passes by itself."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from service.cache import folders, graves
from service.cache import work as work_module
from service.cache.work import Work, spare_folder
from tests import images
from tests.cache.nodes import Node, all_is_cleared, node

PHOTO = images.png(images.flat(64, 48, (10, 200, 30)))


@pytest.fixture
async def one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Node]:
    monkeypatch.setattr(work_module, "RETRY", 0.2)
    async with node(tmp_path, nginx=True) as running:
        await running.upload("green.png", PHOTO)
        assert (await running.public("green.png/@w=20.png")).colour == (10, 200, 30)
        yield running


@contextlib.contextmanager
def out_of_order(folder: Path) -> Iterator[None]:
    """Nothing can be read or written below this folder."""
    away = folder.with_name(f"{folder.name}-away")
    folder.rename(away)
    folder.write_bytes(b"")
    try:
        yield
    finally:
        folder.unlink()
        away.rename(folder)


@contextlib.contextmanager
def no_room(one: Node, monkeypatch: pytest.MonkeyPatch, error: int) -> Iterator[None]:
    """No derived image can be published."""

    def fail(*_: object) -> None:
        raise OSError(error, os.strerror(error))

    with monkeypatch.context() as patch:
        patch.setattr(one.context.tasks.disk.tree, "publish", fail)
        yield


@contextlib.contextmanager
def held_fast(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The disk does not let go of any derived image."""

    def fail(*_: object) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    with monkeypatch.context() as patch:
        patch.setattr(graves, "move", fail)
        patch.setattr(folders, "unlink", fail)
        yield


async def all_is_answered(one: Node, width: int) -> None:
    for ask, more in ((one.public, 0), (one.api, 1)):
        for turn in range(3):
            answer = await ask(f"green.png/@w={width + more}.png")
            assert (answer.status, answer.colour) == (200, (10, 200, 30)), turn
            assert answer.headers["X-Cache"] == "MISS"
            assert answer.headers["Content-Type"] == "image/png"
        again = await ask(f"green.png/@w={width + more}.png", **{"If-None-Match": answer.headers["ETag"]})
        assert again.status == 304
        part = await ask(f"green.png/@w={width + more}.png", Range="bytes=1-3")
        assert (part.status, part.body) == (206, answer.body[1:4])


async def all_is_kept_again(one: Node, width: int) -> None:
    await asyncio.sleep(0.3)
    assert (await one.public(f"green.png/@w={width}.png")).headers["X-Cache"] == "MISS"
    assert (await one.public(f"green.png/@w={width}.png")).headers["X-Cache"] == "HIT-DISK"
    await all_is_cleared(one)


async def test_an_upload_that_the_store_holds_succeeds_although_the_disk_keeps_what_is_old(
    one: Node, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    blue = (1, 2, 200)
    with caplog.at_level(logging.ERROR), held_fast(monkeypatch):
        stored = await one.upload("green.png", images.png(images.flat(64, 48, blue)))
        assert stored.status == 201
        for name in ("green.png/@w=20.png", "green.png/@w=20.auto", "green.png"):
            assert (await one.api(name)).colour == pytest.approx(blue, abs=2)  # one of them is a JPEG
        version = stored.headers["ETag"].strip('"')
        assert (await one.public(f"green.png/@w=20.png?v={version}")).colour == blue
    assert any("of what was green.png cannot be removed" in record.getMessage() for record in caplog.records)
    await all_lets_go(one)
    for ask in (one.api, one.public):
        assert (await ask("green.png/@w=20.png")).colour == blue


async def test_a_deletion_that_the_store_has_made_succeeds_although_the_disk_keeps_what_is_old(
    one: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    with held_fast(monkeypatch):
        assert (await one.delete("green.png")).status == 204
        assert (await one.api("green.png/@w=20.png")).status == 404


async def all_lets_go(one: Node) -> None:
    """A request finds out that the disk works again, and publishes."""
    await asyncio.sleep(0.3)
    assert (await one.api("green.png/@w=20.png")).headers["X-Cache"] == "MISS"


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EROFS, errno.EIO])
async def test_a_result_that_no_disk_takes_is_answered_from_memory(
    one: Node, monkeypatch: pytest.MonkeyPatch, error: int, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR), no_room(one, monkeypatch, error):
        await all_is_answered(one, 30)
    assert one.context.tasks.disk.work.failures[os.strerror(error)] >= 1
    told = [record.getMessage() for record in caplog.records if "disk fails" in record.getMessage()]
    assert len(told) == 1
    assert os.strerror(error) in told[0]
    await all_is_kept_again(one, 30)


async def test_validators_do_not_tell_whether_a_disk_took_it(one: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    with no_room(one, monkeypatch, errno.ENOSPC):
        unkept = await one.public("green.png/@w=33.png")
    await asyncio.sleep(0.3)
    kept = [await one.public("green.png/@w=33.png"), await one.api("green.png/@w=33.png")]
    for header in ("ETag", "Last-Modified", "Cache-Control", "Content-Length"):
        assert {one.headers[header] for one in (unkept, *kept)} == {kept[0].headers[header]}


async def test_work_goes_elsewhere_while_the_work_folder_takes_nothing(one: Node) -> None:
    with out_of_order(one.root / "var/cache/work"):
        await all_is_answered(one, 40)
        assert (await one.public("green.png/@w=20.png")).headers["X-Cache"] == "HIT-DISK"
    await all_is_kept_again(one, 40)


async def test_originals_are_fetched_elsewhere_while_their_folder_takes_nothing(
    one: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    with out_of_order(one.root / "var/cache/originals"), monkeypatch.context() as patch:
        patch.setattr(work_module, "RETRY", 60.0)  # derived images are kept as soon as the disk is tried again
        await all_is_answered(one, 50)
    await all_is_kept_again(one, 50)


async def test_what_was_answered_without_a_disk_is_not_answered_after_a_replacement(one: Node) -> None:
    with out_of_order(one.root / "var/cache/originals"):
        assert (await one.api("green.png/@w=61.png")).colour == (10, 200, 30)
        await one.upload("green.png", images.png(images.flat(64, 48, (1, 2, 3))))
        assert (await one.api("green.png/@w=61.png")).colour == (1, 2, 3)
        assert (await one.public("green.png/@w=61.png")).colour == (1, 2, 3)


async def test_the_spare_folder_holds_little_and_nothing_that_a_killed_process_left(one: Node) -> None:
    spare = one.context.tasks.disk.work.spare
    assert spare is not None
    with out_of_order(one.root / "var/cache/originals"):
        for number in range(8):
            (one.root / f"var/store/{number}.png").write_bytes(PHOTO)
            assert (await one.api(f"{number}.png/@w=9.png")).status == 200
        assert 1 <= len(list(spare.iterdir())) <= 4
    again = Work(one.context.tasks.disk.work.folder, spare)
    again.clean()
    assert list(spare.iterdir()) == []


async def test_many_originals_are_read_at_once_without_a_disk(one: Node) -> None:
    for number in range(30):
        (one.root / f"var/store/{number}.png").write_bytes(PHOTO)
    with out_of_order(one.root / "var/cache/originals"):
        for leaf in ("@w=9.png", "@w=8.png", "@meta.json"):
            answers = await asyncio.gather(*(one.api(f"{number}.png/{leaf}") for number in range(30)))
            assert {answer.status for answer in answers} == {200}


def test_a_spare_folder_of_somebody_else_is_not_used(tmp_path: Path) -> None:
    mine = spare_folder(tmp_path)
    assert mine is not None
    assert mine.stat().st_mode & 0o777 == 0o700
    mine.rmdir()
    mine.symlink_to(tmp_path)
    try:
        assert spare_folder(tmp_path) is None
    finally:
        mine.unlink()


@pytest.mark.parametrize(
    ("error", "troubled"), [(errno.EIO, True), (errno.ENOSPC, True), (errno.EMFILE, False), (errno.ENOENT, False)]
)
def test_the_disk_is_blamed_for_what_is_its_fault(error: int, troubled: bool, tmp_path: Path) -> None:
    work = Work(tmp_path, None)
    work.trouble(OSError(error, os.strerror(error)))
    assert work.troubled == troubled
    assert bool(work.failures) == troubled
