"""A pool of engine processes, and the stripping of metadata."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from service.engine.pool.pool import EnginePool
from service.engine.pool.settings import EngineSettings
from service.engine.recognise import recognise
from service.engine.strip import strip
from tests.engine.pools import Begin


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


@pytest.fixture
def stripped(tmp_path: Path) -> Callable[..., bytes]:
    """Returns a file's bytes without its metadata."""
    source, target = tmp_path / "source", tmp_path / "target"

    def of(data: bytes, *, keep_icc: bool = True) -> bytes:
        source.write_bytes(data)
        assert strip(source, target, recognise(source), keep_icc)
        return target.read_bytes()

    return of
