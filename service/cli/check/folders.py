"""Checks of the folders that the configuration names, and of the disk and memory that it needs."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

from gateway.settings import Config
from gateway.units import print_size
from service.cli.check.finding import Finding
from service.open_store import open_store
from service.runtime.paths import Paths

LEAST_FREE = 0.05  # of a cache's budget that should be free on its disk


def usable(config: Config, paths: Paths) -> Iterator[Finding]:
    caches = {_nearest(folder): "cache.root" for folder in (paths.derived, paths.originals, paths.work, paths.engine)}
    for place, option in {**caches, _nearest(paths.runtime): "runtime.root"}.items():
        try:
            Path(tempfile.mkdtemp(dir=place)).rmdir()
        except OSError as error:
            text = f"uid {os.geteuid()} can make nothing in {place} ({error.strerror}); mend it, or name another"
            yield Finding(option, text)
    places = filter(Path.exists, map(_nearest, (paths.work, paths.engine, paths.derived)))
    if len({place.stat().st_dev for place in places}) > 1:
        yield Finding("cache.root", f"{paths.work}, {paths.engine} and {paths.derived} must be on one file system")
    if os.geteuid() == 0:
        there = _nearest(paths.engine).resolve()
        for folder in filter(_is_closed, (there, *there.parents)):
            text = f"engine processes of root have no capabilities and cannot pass {folder}; `chmod a+x` it"
            yield Finding("cache.root", f"{text}, or run as its owner")
        yield Finding("user", "this runs as root; a user of its own is better (docs/operations.md)", wrong=False)


def overlaps(config: Config, paths: Paths) -> Iterator[Finding]:
    folders = dict(open_store(config).folders)  # it is not started, so it holds nothing open
    if not folders:
        return
    folders |= {"cache.root": paths.work.parent, "runtime.root": paths.runtime}
    for (one, first), (other, second) in combinations(folders.items(), 2):
        apart = (one, other) == ("cache.root", "runtime.root")
        for inner, outer, within, around in ((one, other, first, second), (other, one, second, first)):
            if not apart and within.resolve().is_relative_to(around.resolve()):
                yield Finding(inner, f"{within} lies in {around}, which is {outer}; each needs a folder of its own")
                break


def memory(config: Config, paths: Paths) -> Iterator[Finding]:
    has = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    if config.cache.memory > has:
        text = f"{print_size(config.cache.memory)} is more than this machine has, {has / 2**30:.1f} GiB"
        yield Finding("cache.memory", text, wrong=False)


def space(config: Config, paths: Paths) -> Iterator[Finding]:
    place = _nearest(paths.derived)
    if not place.is_dir():  # `usable` reports it
        return
    usage = shutil.disk_usage(place)
    budget = config.cache.derived + config.cache.originals
    if usage.total < budget:
        yield Finding(
            "cache.derived, cache.originals", f"together {print_size(budget)}: more than the disk of {paths.derived}"
        )
    elif usage.free < LEAST_FREE * budget:
        yield Finding("cache.root", f"the disk of {paths.derived} is nearly full", wrong=False)


def _is_closed(folder: Path) -> bool:
    """Whether root cannot pass the folder without a capability."""
    status = folder.stat()
    return status.st_uid != 0 and not status.st_mode & 0o001


def _nearest(folder: Path) -> Path:
    """The folder itself, or what there is of the path to it."""
    return next(path for path in (folder, *folder.parents) if os.path.lexists(path))
