"""Which process works on an original."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.engine.pools import Begin, job
from tests.waiting import eventually


async def test_original_returns_to_the_process_that_had_it(begin: Begin) -> None:
    pool = await begin()
    homes = {"cat": (await pool.run(job(), affinity="cat")).bytes}
    await eventually(lambda: len(pool.pids) == 2)  # for the next original
    homes["dog"] = (await pool.run(job(), affinity="dog")).bytes
    assert homes["cat"] != homes["dog"]
    for name in ("cat", "cat", "dog", "cat", "dog", "dog"):
        assert (await pool.run(job(), affinity=name)).bytes == homes[name]


async def test_hot_original_is_worked_on_by_all(begin: Begin, tmp_path: Path) -> None:
    pool = await begin()
    gates = [tmp_path / name for name in "ab"]
    tasks = [asyncio.ensure_future(pool.run(job(wait=gate), affinity="hot")) for gate in gates]
    await eventually(lambda: pool.stats.running == 2)
    for gate in gates:
        gate.touch()
    assert {result.bytes for result in await asyncio.gather(*tasks)} == set(pool.pids)
