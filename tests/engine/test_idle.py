"""Engine processes that nobody needs: none after a start, none when there was no job for a while."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest

from service.derivatives.warming import is_wanted
from service.engine.job import Saturated
from service.engine.pool import staff
from service.engine.pool.forks import ForkServer
from service.engine.pool.pool import EnginePool
from service.engine.pool.process import EngineProcess
from service.engine.pool.settings import EngineSettings
from service.engine.sandbox.sandbox import sandbox_report
from tests.engine.pools import Begin, job, occupied, running, staffed
from tests.waiting import eventually


async def test_after_a_start_it_is_known_what_processes_can_do_and_none_is_up(begin: Begin, tmp_path: Path) -> None:
    pool = await begin()
    assert (pool.pids, pool.can_work, is_wanted(pool)) == ([], True, False)
    assert (pool.capabilities, pool.sandbox) == ({"png": (True, True)}, sandbox_report())
    await eventually(lambda: not list(tmp_path.glob("engine-*")))


async def test_jobs_at_once_have_as_many_processes_as_there_may_be(begin: Begin, tmp_path: Path) -> None:
    pool = await begin(processes=3)
    assert len(await staffed(pool, tmp_path, 3)) == 3
    assert pool.stats.restarts == 0


async def test_one_original_has_a_process_and_the_next_one_waits_for_none(begin: Begin) -> None:
    pool = await begin(processes=4)
    for _ in range(3):
        await pool.run(job(), affinity="cat")
    await eventually(lambda: len(pool.pids) == 2)
    await pool.run(job(), affinity="dog")
    await eventually(lambda: len(pool.pids) == 3)


async def test_as_many_jobs_wait_for_the_first_processes_as_the_queue_and_they_have_room_for(
    begin: Begin, tmp_path: Path
) -> None:
    pool, gate = await begin(processes=2, queue=1), tmp_path / "gate"
    jobs = [asyncio.ensure_future(pool.run(job(wait=gate), affinity=str(number))) for number in range(3)]
    await eventually(lambda: pool.stats.running == 2)
    with pytest.raises(Saturated):
        await pool.run(job(), affinity="one more")
    gate.touch()
    await asyncio.gather(*jobs)


async def test_idle_processes_end_and_the_next_job_starts_others(
    begin: Begin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(staff, "IDLE", 0.05)
    pool = await begin()
    before = await staffed(pool, tmp_path, 2)
    await eventually(lambda: not pool.pids)
    await eventually(lambda: not any(running(pid) for pid in before) and not list(tmp_path.glob("engine-*")))
    assert (pool.can_work, pool.stats.restarts, pool.stats.recycled) == (True, 0, 0)
    assert (await pool.run(job(), affinity="cat")).bytes not in before


def counted_looks(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What each look at how long a process was idle has found, in seconds."""
    looks, idle = list[float](), vars(EngineProcess)["idle"].fget

    def look(process: EngineProcess) -> float:
        looks.append(float(idle(process)))
        return looks[-1]

    monkeypatch.setattr(EngineProcess, "idle", property(look))
    return looks


async def found_idle_several_times(looks: list[float]) -> None:
    """Return when processes were found idle for long enough to end, from now on."""
    looks.clear()
    await eventually(lambda: sum(seconds > staff.IDLE for seconds in looks) > 5)


async def test_no_process_ends_while_one_has_a_job(
    begin: Begin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(staff, "IDLE", 0.01)
    looks = counted_looks(monkeypatch)
    pool = await begin()
    gate, busy = await occupied(pool, tmp_path)
    await pool.run(job(), affinity="cat")
    both = pool.pids
    await found_idle_several_times(looks)
    assert len(both) == 2
    assert pool.pids == both
    gate.touch()
    await busy
    await eventually(lambda: not pool.pids)


class Starts:
    """In place of `EngineProcess.start`: fails while it `is_refused`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.is_refused = True
        self._start = EngineProcess.start
        monkeypatch.setattr(EngineProcess, "start", self)
        monkeypatch.setattr(staff, "REHIRE", (0.01, 0.01))

    async def __call__(self, settings: EngineSettings, forks: ForkServer) -> EngineProcess:
        if self.is_refused:
            raise OSError("no process can be forked")
        return await self._start(settings, forks)


async def test_while_none_can_be_started_jobs_are_refused_and_afterwards_not(
    begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = await begin(processes=1)
    starts = Starts(monkeypatch)
    for affinity in ("the first, which waits for a process", "one that comes later"):
        with pytest.raises(Saturated, match="no engine process can be started"):
            await pool.run(job(), affinity=affinity)
        assert not pool.can_work
        assert is_wanted(pool)
    starts.is_refused = False
    await eventually(lambda: pool.can_work)
    await pool.run(job(), affinity="cat")


async def test_a_process_that_is_idle_stays_while_no_other_can_be_started(
    begin: Begin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(staff, "IDLE", 0.01)
    looks = counted_looks(monkeypatch)
    pool = await begin()
    gate, busy = await occupied(pool, tmp_path)
    other = (await pool.run(job(), affinity="cat")).bytes
    starts = Starts(monkeypatch)
    os.kill(other, signal.SIGKILL)
    await eventually(lambda: pool._staff.failing)
    gate.touch()
    left = (await busy).bytes
    await found_idle_several_times(looks)
    assert pool.pids == [left]
    starts.is_refused = False
    await eventually(lambda: not pool.pids)


async def test_close_waits_for_processes_that_are_being_started(begin: Begin, tmp_path: Path) -> None:
    pool: EnginePool = await begin()
    first = asyncio.ensure_future(pool.run(job(), affinity="cat"))
    await asyncio.sleep(0)
    await pool.close()
    with pytest.raises(Saturated):
        await first
    assert not list(tmp_path.glob("engine-*"))
