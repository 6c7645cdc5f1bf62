"""Uploads whose check is slow do not hold the processes that others wait for."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from service.engine.job import Header, Result, TimedOut
from service.engine.pool import work
from service.engine.pool.forks import ForkServer
from service.engine.pool.lanes import cost_of
from service.engine.pool.pool import EnginePool
from service.engine.pool.process import EngineProcess
from service.engine.pool.queue import PATIENCE, Queue
from service.engine.pool.settings import EngineSettings
from tests import waiting
from tests.engine.pools import Begin, job, notes, staffed
from tests.waiting import eventually

SLOW = 4  # uploads
QUICK = 3


@pytest.fixture(autouse=True)
def soon_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """A check is slow after a moment, so that the tests are quick."""
    monkeypatch.setattr(work, "SLOW_AFTER", 0.05)
    monkeypatch.setattr(work, "LOOK", 0.02)


def checks(pool: EnginePool, gate: Path, folder: Path) -> list[asyncio.Task[Result]]:
    """Checks that go on until the gate exists."""
    jobs = [job(folder / f"document{number}", wait=gate) for number in range(SLOW)]
    return [
        asyncio.ensure_future(pool.run(one, affinity=str(n), content=str(n), lane="upload"))
        for n, one in enumerate(jobs)
    ]


@pytest.mark.parametrize("processes", [1, 2, 3])
async def test_quick_uploads_are_done_while_slow_ones_wait_and_all_are_done_at_last(
    begin: Begin, tmp_path: Path, processes: int
) -> None:
    pool, gate = await begin(processes=processes), tmp_path / "gate"
    slow = checks(pool, gate, tmp_path)
    await asyncio.sleep(0)
    async with asyncio.timeout(waiting.PATIENCE):
        for number in range(QUICK):
            await pool.run(job(), affinity=f"quick{number}", lane="upload")
        await pool.run(job(), affinity="small")
    assert not any(task.done() for task in slow)
    assert pool.stats.running < max(2, processes)
    gate.touch()
    async with asyncio.timeout(waiting.PATIENCE):
        await asyncio.gather(*slow)
    assert all((tmp_path / f"document{number}").read_text() == "made" for number in range(SLOW))
    assert pool.stats.ended == {"done": SLOW + QUICK + 1}
    await eventually(lambda: len(pool.pids) == processes and pool.stats.running == 0)


async def test_one_second_process_is_started_however_many_checks_are_slow_until_it_is_there(
    begin: Begin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool, start, starts, gate = await begin(processes=1), EngineProcess.start, list[int](), asyncio.Event()
    await staffed(pool, tmp_path)

    async def late(settings: EngineSettings, forks: ForkServer) -> EngineProcess:
        starts.append(len(starts))
        await gate.wait()
        return await start(settings, forks)

    monkeypatch.setattr(EngineProcess, "start", late)
    for number in range(3):
        end = tmp_path / f"end{number}"
        slow = asyncio.ensure_future(pool.run(job(wait=end), affinity="slow", lane="upload"))
        quick = asyncio.ensure_future(pool.run(job(), affinity="quick", lane="upload"))
        await eventually(lambda: starts)
        await asyncio.sleep(0.2)  # many times what makes a check slow
        end.touch()
        await asyncio.gather(slow, quick)
    gate.set()
    await eventually(lambda: len(pool.pids) == 2)
    assert len(starts) == 1


async def test_a_slow_check_that_nobody_waits_for_is_not_begun_again(begin: Begin, tmp_path: Path) -> None:
    pool, gate = await begin(), tmp_path / "gate"
    slow = [
        asyncio.ensure_future(pool.run(job(note="begun", wait=gate), affinity=str(n), lane="upload")) for n in range(2)
    ]
    await eventually(lambda: len(notes(tmp_path)) == 2)
    await asyncio.sleep(0.2)
    gate.touch()
    await asyncio.gather(*slow)
    assert notes(tmp_path) == ["begun"] * 2
    assert pool.stats.displaced == pool.stats.kills == 0


async def test_a_slow_check_still_has_its_limit(begin: Begin, tmp_path: Path) -> None:
    pool = await begin(processes=1, time=0.5)
    slow = checks(pool, tmp_path / "never", tmp_path)[:1]
    with pytest.raises(TimedOut):
        await slow[0]


async def test_a_client_that_leaves_a_displaced_check_takes_it_out_of_the_queue(begin: Begin, tmp_path: Path) -> None:
    pool = await begin()
    slow = checks(pool, tmp_path / "never", tmp_path)
    await eventually(lambda: pool.waiting["slow"] == SLOW - 2)
    for task in slow:
        task.cancel()
    await asyncio.gather(*slow, return_exceptions=True)
    await eventually(lambda: pool.stats.running == 0 and len(pool.pids) == 2)
    assert set(pool.waiting.values()) == {0}
    await pool.run(job(), affinity="quick", lane="upload")


async def test_a_bounded_lane_has_no_more_slots_than_its_bound_though_others_are_free() -> None:
    queue: Queue[str] = Queue({"quick": 1, "slow": 1}, 9, {"slow": 1})
    for slot in ("one", "two"):
        queue.offer(slot)
    first = await queue.acquire("slow", "a")
    second = asyncio.ensure_future(queue.acquire("slow", "b"))
    await asyncio.sleep(0)
    assert not second.done()
    other = await queue.acquire("quick", "c")
    assert {first, other} == {"one", "two"}
    assert not queue.move(other, "slow")
    queue.withdraw(first)
    queue.offer(other)
    assert await second == other
    assert queue.slots("slow") == {other}


async def test_a_slot_moves_to_a_bounded_lane_and_leaves_it_when_it_is_free() -> None:
    queue: Queue[str] = Queue({"quick": 1, "slow": 1}, 9, {"slow": 1})
    queue.offer("one")
    assert queue.move(await queue.acquire("quick", "a"), "slow")
    assert queue.slots("slow") == {"one"}
    queue.offer("one")
    assert await queue.acquire("slow", "b") == "one"


async def test_what_costs_less_comes_first_but_overtakes_the_first_only_so_often() -> None:
    queue: Queue[str] = Queue({"upload": 1}, 99)
    large = asyncio.ensure_future(queue.acquire("upload", "large", 9))
    others = [asyncio.ensure_future(queue.acquire("upload", f"small{n}", 1)) for n in range(2 * PATIENCE)]
    await asyncio.sleep(0)
    queue.offer("one")
    for turn in range(PATIENCE):
        assert await others[turn] == "one"
        assert not large.done()
        queue.offer("one")
    assert await large == "one"
    queue.offer("one")
    assert await others[PATIENCE] == "one"
    for task in others:
        task.cancel()


def test_an_upload_costs_by_its_pixels_and_those_alike_cost_the_same() -> None:
    assert cost_of(Header("png", 20, 20)) < cost_of(Header("jpg", 4000, 3000)) < cost_of(Header("gif", 900, 900, 400))
    assert cost_of(Header("jpg", 4000, 3000)) == cost_of(Header("jpg", 3900, 3000))
