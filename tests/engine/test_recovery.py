"""A process that dies, hangs or grows costs its own job and no other."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest

from service.engine.job import Crashed, EngineError, Interrupted, Result, TimedOut
from service.engine.pool.staff import STARTS
from tests.engine.faults import DEATHS, STARTED
from tests.engine.pools import Begin, job, notes, staffed
from tests.waiting import eventually


@pytest.mark.parametrize("end", [{"segfault": ""}, {"babble": "100000"}])
async def test_process_that_dies_costs_its_own_job_only(begin: Begin, tmp_path: Path, end: dict[str, str]) -> None:
    pool = await begin()
    output = tmp_path / "out"
    bad = pool.run(job(output, leave_half="", **end), affinity="bomb")
    good = [pool.run(job(), affinity="bomb") for _ in range(8)]
    outcome, *others = await asyncio.gather(bad, *good, return_exceptions=True)
    assert isinstance(outcome, Crashed)
    assert all(isinstance(other, Result) for other in others)
    assert not output.exists()
    await eventually(lambda: pool.stats.restarts == 1 and len(pool.pids) == 2)


@pytest.mark.parametrize("deed", ["hang", "spin"])
async def test_job_that_takes_too_long_costs_its_own_process_only(begin: Begin, tmp_path: Path, deed: str) -> None:
    pool = await begin(time=2)
    pids = await staffed(pool, tmp_path, 2)
    stuck = asyncio.ensure_future(pool.run(job(None, **{deed: ""}), affinity="bomb"))
    for _ in range(5):
        await pool.run(job(), affinity="cat")
    with pytest.raises(TimedOut):
        await stuck
    await eventually(lambda: len(pool.pids) == 2 and pool.pids != pids)
    assert len(set(pids) & set(pool.pids)) == 1
    assert pool.stats.kills == 1


async def test_job_that_killed_a_process_is_tried_again_only_when_asked(begin: Begin, tmp_path: Path) -> None:
    pool = await begin(processes=1)
    for attempts in (1, 3):
        with pytest.raises(Crashed):
            await pool.run(job(note=attempts, segfault=""), affinity="bomb", attempts=attempts)
        assert notes(tmp_path).count(str(attempts)) == attempts


async def test_content_that_killed_twice_is_not_tried_a_third_time(begin: Begin, tmp_path: Path) -> None:
    pool = await begin(processes=1)
    for _ in range(3):
        with pytest.raises(Crashed):
            await pool.run(job(note="tried", segfault=""), affinity="bomb", content="sha-of-bomb")
    assert len(notes(tmp_path)) == 2
    assert pool.stats.banned == 1
    await pool.run(job(), affinity="cat", content="sha-of-cat")


@pytest.mark.parametrize("deed", ["hang", "spin"])
async def test_what_took_too_long_twice_is_not_tried_a_third_time_and_the_rest_of_its_content_is(
    begin: Begin, tmp_path: Path, deed: str
) -> None:
    pool = await begin(processes=1, time=0.5)
    for _ in range(3):
        with pytest.raises(TimedOut):
            await pool.run(job(None, note="tried", **{deed: ""}), affinity="cat", content="cat")
    assert len(notes(tmp_path)) == 2
    assert pool.stats.banned == 1
    await pool.run(job(), affinity="cat", content="cat")
    with pytest.raises(TimedOut):
        await pool.run(job(None, note="tried", other="", **{deed: ""}), affinity="cat", content="cat")
    assert len(notes(tmp_path)) == 3


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
async def test_job_whose_process_others_end_is_tried_once_more(begin: Begin, tmp_path: Path, number: int) -> None:
    pool = await begin(processes=1)
    output = tmp_path / "out"
    await pool.run(job(output, note="tried", end_once_by=int(number)), affinity="cat", content="cat")
    assert notes(tmp_path) == ["tried", "ended", "tried"]
    assert output.read_text() == "made"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
async def test_image_is_not_blamed_for_a_process_that_others_end_again(
    begin: Begin, tmp_path: Path, number: int
) -> None:
    pool = await begin(processes=1)
    for tries in (2, 4):
        with pytest.raises(Interrupted) as ended:
            await pool.run(job(note="tried", end_by=int(number)), affinity="cat", content="cat")
        assert ended.value.retry_after >= 1
        assert len(notes(tmp_path)) == tries
    assert pool.stats.banned == 0
    await pool.run(job(), affinity="cat", content="cat")
    assert pool.stats.ended == {"interrupted": 4, "done": 1}


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGSYS, signal.SIGFPE])
async def test_signal_that_an_image_causes_is_the_images(begin: Begin, tmp_path: Path, number: int) -> None:
    pool = await begin(processes=1)
    with pytest.raises(Crashed):
        await pool.run(job(note="tried", end_by=int(number)), affinity="bomb", content="bomb")
    assert notes(tmp_path) == ["tried"]


async def test_process_that_others_end_while_it_starts_is_started_again(begin: Begin, tmp_path: Path) -> None:
    (tmp_path / DEATHS).write_text("3")
    pool = await begin(processes=1)
    assert notes(tmp_path) == [STARTED] * 3
    await pool.run(job(), affinity="cat")


async def test_start_is_tried_a_bounded_number_of_times(begin: Begin, tmp_path: Path) -> None:
    (tmp_path / DEATHS).write_text("1000")
    with pytest.raises(EngineError, match="no engine process can be started"):
        await begin(processes=1)
    assert notes(tmp_path) == [STARTED] * STARTS
    assert not list(tmp_path.glob("engine-*"))


async def test_process_that_dies_idle_is_replaced(begin: Begin, tmp_path: Path) -> None:
    pool = await begin(processes=1)
    (pid,) = await staffed(pool, tmp_path)
    os.kill(pid, signal.SIGKILL)
    await eventually(lambda: pool.pids not in ([], [pid]))
    await pool.run(job(), affinity="cat", content="cat")
    assert pool.stats.ended == {"done": 2}


async def test_process_is_recycled_after_so_many_jobs(begin: Begin) -> None:
    pool = await begin(processes=1, recycle=3)
    pids = [(await pool.run(job(), affinity="cat")).bytes for _ in range(7)]
    assert [pids.count(pid) for pid in dict.fromkeys(pids)] == [3, 3, 1]
    assert pool.stats.recycled == 2


async def test_process_that_keeps_memory_is_recycled(begin: Begin) -> None:
    pool = await begin(processes=1)
    fat = (await pool.run(job(keep=160 << 20), affinity="cat")).bytes
    assert (await pool.run(job(), affinity="cat")).bytes != fat
    assert pool.stats.recycled == 1
