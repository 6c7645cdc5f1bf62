"""An engine that decodes and encodes nothing: its result is a few bytes. What a miss costs beside it is the service's.

`bench/stub_service.py` puts it in the place of `service.engine.pipeline`.
"""

from __future__ import annotations

from pathlib import Path

from service.engine.formats import FORMATS
from service.engine.job import Job, Result

SIZE = 10_000
"""Bytes of a result."""


def capabilities() -> dict[str, tuple[bool, bool]]:
    """Every format can be read and written."""
    return dict.fromkeys(FORMATS, (True, True))


def forget() -> None:
    """Nothing is held."""


def derive(job: Job) -> Result:
    """Write SIZE bytes to `job.output`."""
    Path(job.output).write_bytes(bytes(SIZE))
    stages = {"decode": 0.0, "transform": 0.0, "encode": 0.0}
    return Result(job.format, job.header.width, job.header.height, 1, SIZE, stages)


describe = verify = derive
