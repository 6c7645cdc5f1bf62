from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from service.engine import pool as pool_module
from service.engine.job import Crashed, EngineError, Header, Job, Limits, NotAnImage, Result, Saturated, TimedOut
from service.engine.pool import EnginePool, EngineSettings

JOB = Job("derive", "original", Header("png", 1, 1), Limits(1, 1, 1, 1))

Begin = Callable[..., Awaitable[EnginePool]]


@pytest.fixture
async def begin(tmp_path: Path) -> AsyncIterator[Begin]:
    """Starts a pool of misbehaving processes, with some settings changed."""
    (tmp_path / "policy.xml").touch()
    started: list[EnginePool] = []
    settings = EngineSettings(
        processes=2,
        memory=256 << 20,
        recycle=1000,
        time=60,
        queue=16,
        config_dir=tmp_path,
        readable=(tmp_path,),
        writable=(tmp_path,),
        module="tests.engine.faults",
    )

    async def start(**changes: object) -> EnginePool:
        pool = EnginePool(replace(settings, **changes))  # type: ignore[arg-type]
        started.append(pool)
        await pool.start()
        return pool

    yield start
    for pool in started:
        await pool.close()


def job(output: Path | None = None, **deeds: object) -> Job:
    recipe = {word.replace("_", " "): str(value) for word, value in deeds.items()}
    return replace(JOB, recipe=recipe, output=str(output or ""))


async def until(met: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not met():
            await asyncio.sleep(0.01)


def running(pid: int) -> bool:
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


async def occupied(pool: EnginePool, folder: Path) -> tuple[Path, asyncio.Task[Result]]:
    """A job that runs now, until the path exists."""
    gate = folder / f"gate{pool.stats.running}"
    before = pool.stats.running
    task = asyncio.ensure_future(pool.run(job(wait=gate), affinity="busy"))
    await until(lambda: pool.stats.running > before)
    return gate, task


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
    pids = pool.pids
    with pytest.raises(NotAnImage, match=r"^it is a poem$"):
        await pool.run(job(tmp_path / "out", leave_half=tmp_path / "out", refuse="it is a poem"), affinity="cat")
    assert not (tmp_path / "out").exists()
    assert pool.pids == pids


async def test_error_nobody_foresaw_is_told_to_the_log_alone(begin: Begin, caplog: pytest.LogCaptureFixture) -> None:
    pool = await begin(processes=1)
    pids = pool.pids
    with pytest.raises(EngineError) as caught:
        await pool.run(job(fail="detail"), affinity="cat")
    assert (caught.type, str(caught.value)) == (EngineError, "the image could not be made")
    assert "KeyError: 'detail'" in caplog.text
    assert pool.pids == pids


@pytest.mark.parametrize("end", [{"segfault": ""}, {"babble": "100000"}])
async def test_process_that_dies_costs_its_own_job_only(begin: Begin, tmp_path: Path, end: dict[str, str]) -> None:
    pool = await begin()
    output = tmp_path / "out"
    bad = pool.run(job(output, leave_half=output, **end), affinity="bomb")
    good = [pool.run(job(), affinity="bomb") for _ in range(8)]
    outcome, *others = await asyncio.gather(bad, *good, return_exceptions=True)
    assert isinstance(outcome, Crashed)
    assert all(isinstance(other, Result) for other in others)
    assert not output.exists()
    await until(lambda: pool.stats.restarts == 1 and len(pool.pids) == 2)


@pytest.mark.parametrize("deed", ["hang", "spin"])
async def test_job_that_takes_too_long_costs_its_own_process_only(begin: Begin, deed: str) -> None:
    pool = await begin(time=2)
    pids = pool.pids
    stuck = asyncio.ensure_future(pool.run(job(**{deed: ""}), affinity="bomb"))
    for _ in range(5):
        await pool.run(job(), affinity="cat")
    with pytest.raises(TimedOut):
        await stuck
    await until(lambda: len(pool.pids) == 2 and pool.pids != pids)
    assert len(set(pids) & set(pool.pids)) == 1
    assert pool.stats.kills == 1


async def test_job_that_killed_a_process_is_tried_again_only_when_asked(begin: Begin, tmp_path: Path) -> None:
    pool = await begin(processes=1)
    for attempts in (1, 3):
        note = tmp_path / f"note{attempts}"
        with pytest.raises(Crashed):
            await pool.run(job(note=note, segfault=""), affinity="bomb", attempts=attempts)
        assert len(note.read_text().splitlines()) == attempts


async def test_content_that_killed_twice_is_not_tried_a_third_time(begin: Begin, tmp_path: Path) -> None:
    pool = await begin(processes=1)
    note = tmp_path / "note"
    for _ in range(3):
        with pytest.raises(Crashed):
            await pool.run(job(note=note, segfault=""), affinity="bomb", content="sha-of-bomb")
    assert len(note.read_text().splitlines()) == 2
    assert pool.stats.banned == 1
    await pool.run(job(), affinity="cat", content="sha-of-cat")


async def test_process_that_dies_idle_is_replaced(begin: Begin) -> None:
    pool = await begin(processes=1)
    (pid,) = pool.pids
    os.kill(pid, signal.SIGKILL)
    await until(lambda: pool.pids not in ([], [pid]))
    await pool.run(job(), affinity="cat", content="cat")
    assert pool.stats.ended == {"done": 1}


async def test_full_queue_refuses_at_once(begin: Begin, tmp_path: Path) -> None:
    pool = await begin(processes=1, queue=2)
    gate, busy = await occupied(pool, tmp_path)
    waiting = [asyncio.ensure_future(pool.run(job(), affinity="cat")) for _ in range(2)]
    await until(lambda: pool.waiting["small"] == 2)
    with pytest.raises(Saturated) as refused:
        await pool.run(job(note=tmp_path / "note"), affinity="cat")
    assert 1 <= refused.value.retry_after <= 30
    gate.touch()
    await asyncio.gather(busy, *waiting)
    assert not (tmp_path / "note").exists()
    assert pool.stats.refused == 1


async def test_caller_that_left_while_waiting_was_never_computed_for(begin: Begin, tmp_path: Path) -> None:
    pool = await begin(processes=1)
    gate, busy = await occupied(pool, tmp_path)
    leaver = asyncio.ensure_future(pool.run(job(note=tmp_path / "note"), affinity="cat"))
    await until(lambda: pool.waiting["small"] == 1)
    leaver.cancel()
    await until(lambda: pool.waiting["small"] == 0)
    gate.touch()
    await busy
    await pool.run(job(), affinity="cat")
    assert not (tmp_path / "note").exists()


async def test_short_job_whose_caller_left_is_finished_and_its_output_removed(
    begin: Begin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool_module, "ABANDONED_GRACE", 60)
    pool = await begin(processes=1)
    pids = pool.pids
    output, gate = tmp_path / "out", tmp_path / "gate"
    leaver = asyncio.ensure_future(pool.run(job(output, leave_half=output, wait=gate), affinity="cat"))
    await until(output.exists)
    leaver.cancel()
    await until(lambda: pool.stats.abandoned == 1)
    gate.touch()
    await pool.run(job(), affinity="cat")
    await until(lambda: not output.exists())
    assert pool.pids == pids


async def test_long_job_whose_caller_left_is_ended(
    begin: Begin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool_module, "ABANDONED_GRACE", 0.05)
    pool = await begin(processes=1)
    pids = pool.pids
    output = tmp_path / "out"
    leaver = asyncio.ensure_future(pool.run(job(output, leave_half=output, hang=""), affinity="cat", content="cat"))
    await until(output.exists)
    leaver.cancel()
    await pool.run(job(), affinity="cat", content="cat")
    await until(lambda: not output.exists())
    assert pool.pids != pids


async def test_original_returns_to_the_process_that_had_it(begin: Begin) -> None:
    pool = await begin()
    homes = {name: (await pool.run(job(), affinity=name)).bytes for name in ("cat", "dog")}
    assert homes["cat"] != homes["dog"]
    for name in ("cat", "cat", "dog", "cat", "dog", "dog"):
        assert (await pool.run(job(), affinity=name)).bytes == homes[name]


async def test_hot_original_is_worked_on_by_all(begin: Begin, tmp_path: Path) -> None:
    pool = await begin()
    gates = [tmp_path / name for name in "ab"]
    tasks = [asyncio.ensure_future(pool.run(job(wait=gate), affinity="hot")) for gate in gates]
    await until(lambda: pool.stats.running == 2)
    for gate in gates:
        gate.touch()
    assert {result.bytes for result in await asyncio.gather(*tasks)} == set(pool.pids)


async def test_small_job_does_not_wait_behind_ten_large_ones(begin: Begin, tmp_path: Path) -> None:
    pool = await begin(processes=1)
    gate, busy = await occupied(pool, tmp_path)
    order: list[str] = []

    async def run(lane: str) -> None:
        await pool.run(job(), affinity="cat", lane=lane)  # type: ignore[arg-type]
        order.append(lane)

    tasks = [asyncio.ensure_future(run("large")) for _ in range(10)]
    await until(lambda: pool.waiting["large"] == 10)
    tasks.append(asyncio.ensure_future(run("small")))
    await until(lambda: pool.waiting["small"] == 1)
    gate.touch()
    await asyncio.gather(busy, *tasks)
    assert order.index("small") == 0


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


async def test_start_that_fails_says_why_and_leaves_nothing(begin: Begin) -> None:
    with pytest.raises(EngineError, match="No module named 'no_such_module'"):
        await begin(module="no_such_module")


async def test_no_process_is_started_without_the_policy(begin: Begin, tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"policy\.xml"):
        await begin(config_dir=tmp_path / "elsewhere")


async def test_close_ends_all_processes_and_turns_everyone_away(begin: Begin, tmp_path: Path) -> None:
    pool = await begin(processes=1)
    pids = pool.pids
    _, busy = await occupied(pool, tmp_path)
    waiting = asyncio.ensure_future(pool.run(job(), affinity="cat"))
    await until(lambda: pool.waiting["small"] == 1)
    await pool.close()
    assert not any(running(pid) for pid in pids)
    for task in (busy, waiting, pool.run(job(), affinity="cat")):
        with pytest.raises(Saturated):
            await task


async def test_processes_die_with_the_service_even_over_a_job(tmp_path: Path) -> None:
    (tmp_path / "policy.xml").touch()
    service = subprocess.Popen(
        [sys.executable, "-c", _SERVICE, str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert service.stdout is not None
    pids = [int(pid) for pid in service.stdout.readline().split()]
    await until((tmp_path / "note").exists)
    assert len(pids) == 2
    assert all(running(pid) for pid in pids)
    service.kill()
    service.wait()
    service.stdout.close()
    await until(lambda: not any(running(pid) for pid in pids))


_SERVICE = """
import asyncio, sys
from pathlib import Path
from service.engine.pool import EnginePool, EngineSettings
from tests.engine.test_pool import job

async def main(folder):
    pool = EnginePool(EngineSettings(2, 1 << 28, 9, 60, 9, folder, (folder,), (folder,), "tests.engine.faults"))
    await pool.start()
    print(*pool.pids, flush=True)
    await pool.run(job(note=folder / "note", hang=""), affinity="")

asyncio.run(main(Path(sys.argv[1])))
"""
