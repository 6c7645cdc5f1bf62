"""List the images that have files in a derived tree, in the byte order of their names, as listings of a store do."""

from __future__ import annotations

import contextlib
import heapq
import itertools
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gateway.errors import Refused
from gateway.names import check_image, folder_path
from gateway.paths import MARKER
from service.cache.walk import GONE, pass_over

HASHED = "@"  # the folder of names that the file system cannot hold
RUN = 10_000  # names that are sorted at once: 5 ms in which no other thread runs


@dataclass(frozen=True, slots=True)
class Cached:
    """An image and the fingerprint that its marker bears, None where its files name no original."""

    name: str
    fingerprint: int | None


def cached_images(root: Path, prefix: str = "") -> Iterator[Cached]:
    """Every image below the root whose name begins with a prefix. Memory holds the names of one folder for each
    level, and no more. Folders that can be no image's are passed over: others made them. So are those that
    cannot be read. Raises OSError where that is the root itself.

    `a` comes before `a.jpg` and that before `a/b`: what is below a folder sorts by the name with its slash.
    """
    folder = prefix[: prefix.rfind("/") + 1]
    if not folder or _is_held(folder[:-1]):
        found = _below(str(root), folder)
        yield from (one for one in found if one.name.startswith(prefix) and _is_image(one.name))


def hashed_images(root: Path) -> Iterator[Cached]:
    """The images that lie under a hash of their name; `name` is the folder."""
    for folder in _folders(str(root), HASHED):
        cached = _look(str(root), f"{HASHED}/{folder}")
        if cached and cached.fingerprint is not None:
            yield cached


def _is_held(folder: str) -> bool:
    """Whether there can be such a folder of names below the root, and not elsewhere."""
    return _is_image(folder) and folder_path(folder)[1]


def _is_image(name: str) -> bool:
    try:
        check_image(name)
    except Refused:
        return False
    return True


def _below(root: str, above: str) -> Iterator[Cached]:
    for key in _sorted(_keys(root, above)):
        if key.endswith("/"):
            yield from _below(root, above + key)
        else:
            cached = _look(root, above + key)
            if cached:
                yield cached


def _keys(root: str, above: str) -> Iterator[str]:
    """Each folder as the image that it may be, and as what may lie below it."""
    for folder in _folders(root, above):
        if above or folder != HASHED:
            yield folder
            yield f"{folder}/"


def _look(root: str, image: str) -> Cached | None:
    """What the image's folder holds of the image itself."""
    with contextlib.suppress(OSError):
        return Cached(image, os.stat(f"{root}/{image}/{MARKER}").st_mtime_ns)  # noqa: PTH116  # half the time of Path's
    with contextlib.suppress(OSError), os.scandir(f"{root}/{image}") as entries:
        if any(not entry.is_dir(follow_symlinks=False) for entry in entries):
            return Cached(image, None)
    return None


def _folders(root: str, above: str) -> Iterator[str]:
    path = f"{root}/{above}".rstrip("/")
    try:
        with contextlib.suppress(*GONE), os.scandir(path) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    yield entry.name
    except OSError as error:
        if not above:
            raise
        pass_over(path, error)


def _sorted(names: Iterator[str]) -> Iterator[str]:
    """Code points sort as their UTF-8 does."""
    runs = []
    while run := sorted(itertools.islice(names, RUN)):
        runs.append(run)
    return heapq.merge(*runs)
