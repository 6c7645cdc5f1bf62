"""A pool whose one process tries, inside its sandbox, what tests ask it to."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

from service.engine.job import Header, Job, Limits, NotAnImage
from service.engine.pool.pool import EnginePool
from service.engine.pool.settings import EngineSettings
from service.engine.sandbox.policy import PolicyLimits, write_configuration

MEMORY = 256 << 20
FORMATS = {"jpg": "JPEG", "png": "PNG", "webp": "WEBP", "avif": "AVIF", "gif": "GIF", "tif": "TIFF", "bmp": "BMP"}
TRY = Job("verify", "", Header("png", 1, 1), Limits(1, 1, 1, 1))


@contextlib.asynccontextmanager
async def confined(folder: Path) -> AsyncIterator[EnginePool]:
    """One process, which is up, may read `in`, has its folder in `out`, and tries what it is asked to."""
    for name in ("in", "out", "elsewhere"):
        (folder / name).mkdir()
        (folder / name / "file").write_text("words")
    write_configuration(folder / "conf", FORMATS, FORMATS, PolicyLimits(MEMORY, 10**7, 65535, 100))
    pool = EnginePool(
        EngineSettings(
            processes=1,
            memory=MEMORY,
            recycle=1000,
            time=30,
            queue=4,
            config_dir=folder / "conf",
            readable=(folder / "in",),
            writable=(folder / "out",),
            module="tests.engine.confined",
        )
    )
    await pool.start()
    try:
        await attempt(pool, "read", folder / "in" / "file")
        yield pool
    finally:
        await pool.close()


async def attempt(pool: EnginePool, what: str, value: object = "", output: Path | None = None) -> str:
    """`done`, or the name of the error that the attempt ended with."""
    try:
        await pool.run(replace(TRY, recipe={what: str(value)}, output=str(output or "")), affinity="")
    except NotAnImage as refused:
        return str(refused)
    return "done"
