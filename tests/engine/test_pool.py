"""The pool: what a job gives, how errors arrive, how it starts and ends."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from service.engine.job import EngineError, Malfunction, NotAnImage, Result, Saturated
from tests.engine.pools import SERVICE, Begin, job, notes, occupied, running, staffed
from tests.waiting import eventually


async def test_job_is_done_in_a_process_of_its_own(begin: Begin, tmp_path: Path) -> None:
    pool = await begin()
    result = await pool.run(job(tmp_path / "out"), affinity="cat")
    assert result == Result("png", 1, 1, 1, result.bytes, {"encode": 0.5})
    assert result.bytes in pool.pids
    assert os.getpid() not in pool.pids
    assert (tmp_path / "out").read_text() == "made"
    assert pool.capabilities == {"png": (True, True)}


async def test_what_libraries_print_reaches_nobody(begin: Begin) -> None:
    pool = await begin(processes=1)
    for _ in range(3):
        await pool.run(job(print='{"error": "x"}', shout=1 << 20), affinity="cat")
    assert pool.stats.ended == {"done": 3}


async def test_error_of_the_engine_arrives_as_itself(begin: Begin, tmp_path: Path) -> None:
    pool = await begin(processes=1)
    pids = await staffed(pool, tmp_path)
    with pytest.raises(NotAnImage, match=r"^it is a poem$"):
        await pool.run(job(tmp_path / "out", leave_half="", refuse="it is a poem"), affinity="cat")
    assert not (tmp_path / "out").exists()
    assert pool.pids == pids


async def test_error_nobody_foresaw_is_told_to_the_log_alone(
    begin: Begin, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pool = await begin(processes=1)
    pids = await staffed(pool, tmp_path)
    with pytest.raises(EngineError) as caught:
        await pool.run(job(fail="detail"), affinity="cat")
    assert (caught.type, str(caught.value)) == (Malfunction, "the image could not be made")
    assert "KeyError: 'detail'" in caplog.text
    assert pool.pids == pids


async def test_start_that_fails_says_why_and_leaves_nothing(begin: Begin) -> None:
    with pytest.raises(EngineError, match="No module named 'no_such_module'"):
        await begin(module="no_such_module")


async def test_no_process_is_started_without_the_policy(begin: Begin, tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"policy\.xml"):
        await begin(config_dir=tmp_path / "elsewhere")


async def test_close_ends_all_processes_and_turns_everyone_away(begin: Begin, tmp_path: Path) -> None:
    pool = await begin(processes=1)
    _, busy = await occupied(pool, tmp_path)
    pids = pool.pids
    waiting = asyncio.ensure_future(pool.run(job(), affinity="cat"))
    await eventually(lambda: pool.waiting["small"] == 1)
    await pool.close()
    assert not any(running(pid) for pid in pids)
    for task in (busy, waiting, pool.run(job(), affinity="cat")):
        with pytest.raises(Saturated):
            await task


async def test_processes_die_with_the_service_even_over_a_job(tmp_path: Path) -> None:
    (tmp_path / "policy.xml").touch()
    service = subprocess.Popen(
        [sys.executable, "-c", SERVICE, str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert service.stdout is not None
    pids = [int(pid) for pid in service.stdout.readline().split()]
    await eventually(lambda: notes(tmp_path) == ["runs"])
    assert len(pids) == 2
    assert all(running(pid) for pid in pids)
    service.kill()
    service.wait()
    service.stdout.close()
    await eventually(lambda: not any(running(pid) for pid in pids))
