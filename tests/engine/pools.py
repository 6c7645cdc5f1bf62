"""Pools of misbehaving processes, and what tests of the pool wait for."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

from service.engine.job import Header, Job, Limits, Result
from service.engine.pool.pool import EnginePool
from tests.engine.faults import NOTES
from tests.waiting import eventually

JOB = Job("derive", "original", Header("png", 1, 1), Limits(1, 1, 1, 1))

Begin = Callable[..., Awaitable[EnginePool]]


def job(output: Path | None = None, **deeds: object) -> Job:
    recipe = {word.replace("_", " "): str(value) for word, value in deeds.items()}
    return replace(JOB, recipe=recipe, output=str(output or ""))


def notes(folder: Path) -> list[str]:
    """What jobs have noted, in order; `folder` is that of ImageMagick's policy."""
    return (folder / NOTES).read_text().splitlines()


def running(pid: int) -> bool:
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


async def occupied(pool: EnginePool, folder: Path) -> tuple[Path, asyncio.Task[Result]]:
    """A job that runs now, until the path exists."""
    gate = folder / f"gate{pool.stats.running}"
    before = pool.stats.running
    task = asyncio.ensure_future(pool.run(job(wait=gate), affinity="busy"))
    await eventually(lambda: pool.stats.running > before)
    return gate, task


async def staffed(pool: EnginePool, folder: Path, processes: int = 1) -> list[int]:
    """Have so many engine processes of a pool started, by as many jobs at once. Return their ids."""
    gate = folder / "staffed"
    jobs = [asyncio.ensure_future(pool.run(job(wait=gate), affinity=str(number))) for number in range(processes)]
    await eventually(lambda: pool.stats.running == processes)
    gate.touch()
    await asyncio.gather(*jobs)
    gate.unlink()
    return pool.pids


SERVICE = """
import asyncio, sys
from pathlib import Path
from service.engine.pool.pool import EnginePool
from service.engine.pool.settings import EngineSettings
from tests.engine.pools import job, staffed

async def main(folder):
    pool = EnginePool(EngineSettings(2, 1 << 28, 9, 60, 9, folder, (folder,), (folder,), "tests.engine.faults"))
    await pool.start()
    print(*await staffed(pool, folder, 2), flush=True)
    await pool.run(job(note="runs", hang=""), affinity="")

asyncio.run(main(Path(sys.argv[1])))
"""
"""A service of its own: it prints the ids of two engine processes, one of which does a job that never ends."""
