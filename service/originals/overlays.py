"""The overlays of the configuration, checked as every image is: in an engine process, which makes a PNG of each."""

from __future__ import annotations

from pathlib import Path

from gateway.settings import Config
from service.cache.work import Work
from service.engine.job import EngineError, Job, Limits
from service.engine.pool.pool import EnginePool
from service.originals.acceptance import take
from service.runtime.overlays import drawn, pictures, prepare
from service.runtime.paths import Paths

__all__ = ["drawn", "prepared"]

WHOLE = {"crop": "0:0:100p:100p", "frame": "0"}
"""A recipe that changes nothing, and has every pixel of the first frame decoded and encoded."""


async def prepared(config: Config, paths: Paths, engine: EnginePool, work: Work) -> None:
    """Put all that engine processes need for the overlays where they read it. Raises OSError, and EngineError that
    names the overlay."""
    prepare(config, paths)
    for name, source, target in pictures(config, paths):
        try:
            await _draw(config, source, target, engine, work)
        except EngineError as error:
            raise type(error)(f"overlays.{name}.file: {error}") from error


async def _draw(config: Config, source: Path, target: Path, engine: EnginePool, work: Work) -> None:
    """Upright, in sRGB, with its transparency, and with nothing else that is in the file."""
    limits = Limits(config.limits.pixels, config.limits.frames, config.limits.width, config.limits.height)
    header = take(source, config.formats.accept, limits)
    with work.file() as path:
        job = Job("derive", str(source), header, limits, WHOLE, "png", str(path))
        await engine.run(job, affinity=str(source))
        unfinished = target.with_name(f".{target.name}")
        unfinished.write_bytes(path.read_bytes())
        unfinished.replace(target)
