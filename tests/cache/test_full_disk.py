"""A full disk is an event that operators expect: one sentence in the log, a number in the metrics, and no traceback.

`/dev/full` is a disk without room that every Linux has.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from service.cache.work import Work
from service.engine import pipeline
from service.engine.job import Job, Limits
from service.engine.pool import messages, worker
from service.engine.recognise import recognise
from service.maintenance import tasks
from service.runtime.naming import named
from tests import images
from tests.cache.nodes import Node, node
from tests.waiting import PATIENCE

FULL = Path("/dev/full")
SENTENCE = "No space left on device"
PHOTO = images.png(images.photo(640, 480))


@pytest.fixture
async def one(tmp_path: Path) -> AsyncIterator[Node]:
    async with node(tmp_path) as running:
        yield running


def without_room(folder: Path) -> Path:
    """A new name for a file that can be opened and takes nothing."""
    path = folder / f"full-{len(list(folder.iterdir()))}"
    path.symlink_to(FULL)
    return path


@pytest.mark.parametrize("library", ["auto", "imagemagick"])
@pytest.mark.parametrize("kind", ["png", "jpg", "webp", "avif", "gif", "tif", "bmp"])
def test_an_engine_process_that_finds_no_room_says_so_in_one_sentence(library: str, kind: str, tmp_path: Path) -> None:
    source = tmp_path / "original"
    source.write_bytes(PHOTO)
    order = Job("derive", str(source), recognise(source), Limits(10**7, 10, 4096, 4096), {"w": "200"}, kind)
    order = messages.decode_job(
        messages.encode_job(order).replace(b'"output": ""', f'"output": "{without_room(tmp_path)}"'.encode())
    )
    line = messages.encode_job(order).replace(b'"library": "auto"', f'"library": "{library}"'.encode())
    assert worker._answer(pipeline, line) == {"error": "disk-full", "detail": SENTENCE}


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EDQUOT])
def test_a_quota_is_a_full_disk_too(error: int) -> None:
    assert worker._lacks_room(OSError(error, os.strerror(error)), "") == os.strerror(error)
    assert worker._lacks_room(OSError(errno.EIO, "broken"), "") is None
    assert worker._lacks_room(KeyError("a mistake"), "") is None


async def test_an_upload_without_room_is_told_so_counted_and_logged_without_a_traceback(
    one: Node, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    work = one.context.tasks.disk.work
    with monkeypatch.context() as patch, caplog.at_level(logging.INFO):
        patch.setattr(Work, "path", lambda self, **_: without_room(one.root))
        for data in (PHOTO, images.png(images.flat(4, 4))):
            refused = await one.upload("a.png", data)
            assert refused.status == 503
            assert b"problem:disk" in refused.body
    assert not [record for record in caplog.records if record.exc_info]
    told = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
    assert told == [f"the caches' disk fails ({SENTENCE}); images are answered without being stored"]
    assert work.failures[SENTENCE] == 2
    assert (await one.upload("a.png", PHOTO)).status == 201


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EDQUOT])
async def test_a_task_that_meets_it_begins_again_and_tells_it_in_one_sentence(
    error: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(tasks, "PAUSE", 0.001)
    begun = asyncio.Event()
    failures = 0

    async def work() -> None:
        nonlocal failures
        failures += 1
        if failures > 2:
            begun.set()
            await asyncio.Event().wait()
        raise OSError(error, os.strerror(error))

    running = asyncio.create_task(tasks._forever("sweep", work, {}))
    await asyncio.wait_for(begun.wait(), PATIENCE)
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    lines = [record for record in caplog.records if "sweep failed" in record.getMessage()]
    assert len(lines) == 2
    assert all(os.strerror(error) in line.getMessage() and not line.exc_info for line in lines)


def test_what_cannot_be_written_is_named(tmp_path: Path) -> None:
    path = without_room(tmp_path)
    with pytest.raises(OSError, match=f"{SENTENCE}: '{path}'"), named(path):
        path.write_text("a configuration")
