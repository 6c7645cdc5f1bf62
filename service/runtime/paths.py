"""Where everything lies on this machine, for one configuration; all paths absolute."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gateway.config import SOCKET_NAME
from gateway.settings import Config


@dataclass(frozen=True, slots=True)
class Paths:
    """`derived` is served by nginx; `originals` are copies of what the store holds; `work` and `engine`, which holds a
    folder for each engine process, are on the same file system as `derived`, so that a finished file can be renamed
    into it."""

    derived: Path
    originals: Path
    work: Path
    engine: Path
    runtime: Path
    socket: Path
    service_pid: Path
    service_prepared: Path
    service_settled: Path
    nginx: Path
    policy: Path
    journal: Path
    walk: Path
    overlays: Path


def paths_of(config: Config) -> Paths:
    base = config.base.absolute()
    cache, runtime = base / config.cache.root, base / config.runtime.root
    return Paths(
        derived=cache / "derived",
        originals=cache / "originals",
        work=cache / "work",
        engine=cache / "engine",
        runtime=runtime,
        socket=runtime / SOCKET_NAME,
        service_pid=runtime / "service.pid",
        service_prepared=runtime / "service.prepared",
        service_settled=runtime / "service.settled",
        nginx=runtime / "nginx",
        policy=runtime / "imagemagick",
        journal=runtime / "journal",
        walk=runtime / "walk.json",
        overlays=runtime / "overlays",
    )


def make_folders(paths: Paths) -> None:
    """Make what is missing. Raises OSError naming the folder."""
    for folder in (
        paths.derived,
        paths.originals,
        paths.work,
        paths.engine,
        paths.runtime,
        paths.policy,
        paths.overlays,
    ):
        folder.mkdir(parents=True, exist_ok=True)
    paths.runtime.chmod(0o700)
