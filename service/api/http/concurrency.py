"""Run tasks concurrently, bounded, and yield results in order."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable
from typing import Any, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


async def in_order(
    items: Iterable[Item], work: Callable[[Item], Coroutine[Any, Any, Result]], at_once: int
) -> AsyncGenerator[Result, None]:
    """The results of `work` for each item, in order; `at_once` are under way, and none when the generator is closed.

    Raises what `work` raises, when its turn comes.
    """
    tasks: deque[asyncio.Task[Result]] = deque()
    try:
        for item in items:
            tasks.append(asyncio.create_task(work(item)))
            if len(tasks) >= at_once:
                yield await tasks[0]
                tasks.popleft()
        while tasks:
            yield await tasks[0]
            tasks.popleft()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
