"""Walks over a tree of files, in the background: a batch at a time in a thread of the lowest priority.

A walk holds the open folders from the root to where it is, and no list of files, however many there are.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import threading
from collections.abc import AsyncGenerator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")

BATCH = 256  # files, about 3 ms of work
REST = 3.0  # times the duration of a batch that passes before the next: a quarter of one core at most


def background() -> ThreadPoolExecutor:
    """One thread that gets what nobody else wants of the processors."""
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
    """Every file and folder below the root: its path, what `stat` tells, and whether it is a folder, which comes after
    what is in it. What goes away meanwhile is left out."""
    with contextlib.suppress(FileNotFoundError, NotADirectoryError), os.scandir(root) as entries:
        for entry in entries:
            is_folder = entry.is_dir(follow_symlinks=False)
            if is_folder:
                yield from files(entry.path)
            with contextlib.suppress(FileNotFoundError):
                yield entry.path, entry.stat(follow_symlinks=False), is_folder


def _yield_to_others() -> None:
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 19)
