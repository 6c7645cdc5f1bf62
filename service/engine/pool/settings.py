"""What a pool of engine processes is given."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

Folders = tuple[tuple[int, int] | None, ...]
"""Files or folders by device and inode, None for what is not there."""


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """How many processes, and what each may take.

    `memory` is in bytes over what a ready process has mapped; one that still holds more than half of it after a job
    is replaced, as is one that did `recycle` jobs. `time` is the seconds one job may take, without its wait; `queue`
    how many jobs may wait in each lane. `config_dir` holds ImageMagick's policy. Originals are
    read where they are in the folders `readable`, whose names no process can list; every process has a folder of its
    own in each of `writable`, by way of which other originals come to it and results go to where jobs name them, on the
    same file systems. `module` has the entry points (see `worker`).
    """

    processes: int
    memory: int
    recycle: int
    time: float
    queue: int
    config_dir: Path
    readable: tuple[Path, ...]
    writable: tuple[Path, ...]
    module: str = "service.engine.pipeline"

    def make_folders(self) -> None:
        """Make deleted folders anew, as far as the disk takes it: a process can only be let into what
        is there."""
        for path in (*self.readable, *self.writable):
            with contextlib.suppress(OSError):
                path.mkdir(0o700, parents=True, exist_ok=True)


def identities(*paths: Path | str) -> Folders:
    """Where the paths lead now."""
    return tuple(map(_identity, paths))


def _identity(path: Path | str) -> tuple[int, int] | None:
    try:
        status = os.stat(path)  # noqa: PTH116  # of a dozen a job, in half the time of Path's
    except OSError:
        return None
    return status.st_dev, status.st_ino
