"""The whole image in the original's own format: metadata goes, every pixel stays as it was encoded, where it can."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

from service.engine.job import Job, Result
from service.engine.strip import strip

FAITHFUL = {"jpg": 95, "webp": 95, "avif": 85}
"""The quality at which an image is encoded once more because it cannot be stripped: it is stored turned, or in a
format that has no lossless way."""


def strip_original(job: Job) -> Result | None:
    """Copy the original without its metadata to `job.output`, if nothing else is asked; None where that cannot be.

    Raises Undecodable where the file's structure is broken.
    """
    if not _whole(job):
        return None
    started = time.perf_counter()
    header, target = job.header, Path(job.output)
    if not strip(Path(job.source), target, header):
        return None
    stages = {"encode": time.perf_counter() - started}
    return Result(job.format, header.width, header.height, header.frames, target.stat().st_size, stages)


def faithful(job: Job) -> Job:
    """The job as it is to be done where the original cannot be stripped: at high quality, its profile kept."""
    if not _whole(job):
        return job
    return replace(job, recipe={"keep": "icc"}, keep=("icc",), quality=FAITHFUL.get(job.format, job.quality))


def _whole(job: Job) -> bool:
    return not job.recipe and job.format == job.header.format
