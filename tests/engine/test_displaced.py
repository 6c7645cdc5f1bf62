"""Processes are let into folders once. When those were deleted, the processes are replaced, and no image is blamed."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest

from service.engine.job import Removed
from tests.engine.pools import Begin, job, staffed
from tests.waiting import eventually


async def test_after_its_folders_were_deleted_a_process_is_replaced_before_its_next_job(
    begin: Begin, tmp_path: Path
) -> None:
    work = tmp_path / "work"
    work.mkdir()
    pool = await begin(readable=(work,), writable=(work,))
    before = await staffed(pool, tmp_path, 2)
    shutil.rmtree(work)
    for number in range(4):
        made = await pool.run(job(work / str(number)), affinity="")
        assert made.bytes not in before
        assert (work / str(number)).read_text() == "made"
    assert pool.stats.recycled == len(before)


async def test_a_job_whose_folders_were_deleted_under_it_is_to_be_tried_again(
    begin: Begin, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    work, gate = tmp_path / "work", tmp_path / "gate"
    work.mkdir()
    pool = await begin(processes=1, readable=(work,), writable=(work,))
    task = asyncio.ensure_future(pool.run(job(work / "out", wait=gate), affinity="", content="an image"))
    await eventually(lambda: pool.stats.running == 1)
    shutil.rmtree(work)
    gate.touch()
    with pytest.raises(Removed):
        await task
    await pool.run(job(work / "out"), affinity="", content="an image")
    assert (work / "out").read_text() == "made"
    assert not [record for record in caplog.records if record.levelname == "ERROR"]
