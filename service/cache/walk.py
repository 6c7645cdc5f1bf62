"""Walk a tree of files in the background: a batch at a time in a thread of the lowest priority.

Memory is bounded: a walk holds at most NAMES names of each folder from the root to its position.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import heapq
import itertools
import logging
import os
import stat
import threading
from collections.abc import AsyncGenerator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")

BATCH = 256  # files, about 3 ms of work
NAMES = 10_000  # of one folder that are held and sorted at once: 4 ms in which no other thread runs
GONE = (FileNotFoundError, NotADirectoryError)
PASSING = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)  # says nothing of the folder
MOST_LOGGED = 100  # folders that the log names because they cannot be read
REST = 3.0  # times the duration of a batch that passes before the next: a quarter of one core at most

log = logging.getLogger(__name__)
_logged: set[str] = set()


def background() -> ThreadPoolExecutor:
    """One thread of the lowest priority: it gets the processor time that is left over."""
    return ThreadPoolExecutor(1, thread_name_prefix="caches", initializer=_yield_to_others)


async def batches(
    items: Iterator[T], executor: ThreadPoolExecutor, rest: float = REST
) -> AsyncGenerator[list[T], None]:
    """The items in lists, made in the background."""
    loop = asyncio.get_running_loop()
    while True:
        began = loop.time()
        batch = await loop.run_in_executor(executor, lambda: list(itertools.islice(items, BATCH)))
        if not batch:
            return
        pause = rest * (loop.time() - began)
        yield batch
        await asyncio.sleep(pause)


def files(root: str) -> Iterator[tuple[str, os.stat_result, bool]]:
    """Every file and folder below the root: its path, what `stat` gives, and whether it is a folder. They come in the
    order of their names, what is in a folder next after it. What goes away meanwhile is left out, and so is what
    cannot be read. Raises OSError where that is the root itself, unless there is none."""
    for name in _names(root):
        path = f"{root}/{name}"
        try:
            status = os.lstat(path)
        except OSError as error:
            pass_over(root, error)
            continue
        is_folder = stat.S_ISDIR(status.st_mode)
        yield path, status, is_folder
        if is_folder:
            try:
                yield from files(path)
            except OSError as error:
                pass_over(path, error)


def pass_over(folder: str, error: OSError) -> None:
    """Go on without a folder, or something in it, that cannot be read; told once, unless it is only gone. Raises what
    the moment caused: without it the walk would seem to be whole."""
    if error.errno in PASSING:
        raise error
    if isinstance(error, GONE) or folder in _logged or len(_logged) >= MOST_LOGGED:
        return
    _logged.add(folder)
    log.warning("%s cannot be looked through (%s); what cannot be read is passed over", folder, error.strerror)


def _names(folder: str) -> Iterator[str]:
    """What is in a folder, sorted."""
    last: str | None = ""
    while last is not None:
        names: list[str] = []
        with contextlib.suppress(*GONE), os.scandir(folder) as entries:
            names = heapq.nsmallest(NAMES, (entry.name for entry in entries if entry.name > last))
        yield from names
        last = names[-1] if len(names) == NAMES else None


def _yield_to_others() -> None:
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 19)
