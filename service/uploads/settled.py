"""Wait for a change of the store to its end, also where the caller is cancelled: its answer decides what is true."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def settled(change: Coroutine[Any, Any, T]) -> T:
    """Return the result of a change; a caller that is cancelled meanwhile, however often, waits until it is settled."""
    work = asyncio.ensure_future(change)
    cancelled: asyncio.CancelledError | None = None
    while not work.done():
        try:
            await asyncio.wait({work})
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled:
        raise cancelled
    return work.result()
