"""Jobs that wait: who is refused, who comes first, and who has left meanwhile."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from service.engine.job import Saturated
from service.engine.pool import pool as pool_module
from service.engine.pool.lanes import Lane
from tests.engine.pools import Begin, job, notes, occupied, staffed
from tests.waiting import eventually


async def test_full_queue_refuses_at_once(begin: Begin, tmp_path: Path) -> None:
    pool = await begin(processes=1, queue=2)
    gate, busy = await occupied(pool, tmp_path)
    waiting = [asyncio.ensure_future(pool.run(job(), affinity="cat")) for _ in range(2)]
    await eventually(lambda: pool.waiting["small"] == 2)
    with pytest.raises(Saturated) as refused:
        await pool.run(job(note="done"), affinity="cat")
    assert 1 <= refused.value.retry_after <= 30
    gate.touch()
    await asyncio.gather(busy, *waiting)
    assert notes(tmp_path) == []
    assert pool.stats.refused == 1


async def test_caller_that_left_while_waiting_was_never_computed_for(begin: Begin, tmp_path: Path) -> None:
    pool = await begin(processes=1)
    gate, busy = await occupied(pool, tmp_path)
    leaver = asyncio.ensure_future(pool.run(job(note="done"), affinity="cat"))
    await eventually(lambda: pool.waiting["small"] == 1)
    leaver.cancel()
    await eventually(lambda: pool.waiting["small"] == 0)
    gate.touch()
    await busy
    await pool.run(job(), affinity="cat")
    assert notes(tmp_path) == []


async def test_short_job_whose_caller_left_is_finished_and_its_output_removed(
    begin: Begin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool_module, "ABANDONED_GRACE", 60)
    pool = await begin(processes=1)
    pids = await staffed(pool, tmp_path)
    output, gate = tmp_path / "out", tmp_path / "gate"
    leaver = asyncio.ensure_future(pool.run(job(output, leave_half="", note="half", wait=gate), affinity="cat"))
    await eventually(lambda: notes(tmp_path) == ["half"])
    leaver.cancel()
    await eventually(lambda: pool.stats.abandoned == 1)
    gate.touch()
    await pool.run(job(), affinity="cat")
    await eventually(lambda: not output.exists())
    assert pool.pids == pids


async def test_long_job_whose_caller_left_is_ended(
    begin: Begin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool_module, "ABANDONED_GRACE", 0.05)
    pool = await begin(processes=1)
    pids = await staffed(pool, tmp_path)
    output = tmp_path / "out"
    leaver = asyncio.ensure_future(
        pool.run(job(output, leave_half="", note="half", hang=""), affinity="cat", content="cat")
    )
    await eventually(lambda: notes(tmp_path) == ["half"])
    leaver.cancel()
    await pool.run(job(), affinity="cat", content="cat")
    await eventually(lambda: not output.exists())
    assert pool.pids != pids


@pytest.mark.parametrize(
    ("crowd", "lane", "before"),
    [("large", "small", 0), ("small", "upload", 1), ("small", "api", 1), ("api", "upload", 1), ("upload", "small", 0)],
)
async def test_no_lane_waits_for_ten_of_another(
    crowd: Lane, lane: Lane, before: int, begin: Begin, tmp_path: Path
) -> None:
    pool = await begin(processes=1)
    gate, busy = await occupied(pool, tmp_path)
    order: list[str] = []

    async def run(lane: Lane) -> None:
        await pool.run(job(), affinity="cat", lane=lane)
        order.append(lane)

    tasks = [asyncio.ensure_future(run(crowd)) for _ in range(10)]
    await eventually(lambda: pool.waiting[crowd] == 10)
    tasks.append(asyncio.ensure_future(run(lane)))
    await eventually(lambda: pool.waiting[lane] == 1)
    gate.touch()
    await asyncio.gather(busy, *tasks)
    assert order.index(lane) <= before
