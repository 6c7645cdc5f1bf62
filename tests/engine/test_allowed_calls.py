"""Everything that an engine process is there for, under a filter that kills it at the first forbidden system call."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from gateway.rules import FORMATS, ORIGINAL_FORMATS
from service.engine.job import Crashed, Unsatisfiable
from service.engine.pool.pool import EnginePool
from service.engine.pool.settings import EngineSettings
from service.engine.sandbox import seccomp
from service.engine.sandbox.policy import PolicyLimits, write_configuration
from tests.engine import everything

MEMORY = 1 << 30


async def test_every_format_and_operation_works_within_the_allowed_system_calls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(seccomp.VARIABLE, seccomp.KILL)
    policy, originals, work = (tmp_path / name for name in ("policy", "originals", "work"))
    originals.mkdir()
    jobs = list(everything.jobs(originals))
    write_configuration(policy, ORIGINAL_FORMATS, FORMATS, PolicyLimits(MEMORY, 20_000_000, 65535, 500))
    pool = EnginePool(EngineSettings(1, MEMORY, len(jobs) + 1, 60, 8, policy, (originals,), (work,)))
    await pool.start()
    try:
        for job in jobs:
            output = work / "made"
            try:
                result = await pool.run(replace(job, output=str(output)), affinity="")
            except Crashed as crashed:
                raise AssertionError(f"{job} ended the process") from crashed
            except Unsatisfiable:
                assert "mb" in job.recipe
                continue
            assert result.bytes > 0
            assert output.exists() or job.task == "verify"
            output.unlink(missing_ok=True)
        assert (len(pool.pids), pool.stats.restarts) == (1, 0)
    finally:
        await pool.close()
    assert not work.exists()
