"""Warming: make derived images ahead of time, for a listing of originals, while the engine is idle."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass

from gateway.names import Name
from service.derivatives.derivatives import Derivatives
from service.engine.job import EngineError
from service.store.base import Container
from service.store.errors import Corrupt, NotFound

PAGE = 5000  # names of the listing at once
PATIENCE = 0.1  # seconds between two looks whether the engine is wanted


Wanted = tuple[Name, str]
"""A derived name, and the Accept header of a client that asks for it, where the name leaves the format open."""


@dataclass(frozen=True, slots=True)
class Warmed:
    """One derived image: its name, and what became of it: HIT-…, MISS when it was made now, or the problem's code."""

    name: str
    outcome: str


async def warm(
    derivatives: Derivatives,
    originals: Container,
    names: Callable[[str], Sequence[Wanted]],
    *,
    prefix: str = "",
    busy: Callable[[], bool] = lambda: False,
) -> AsyncGenerator[Warmed, None]:
    """Make what `names` gives for each original below the prefix, one after the other, and tell of each.

    While `busy` returns True, since requests wait for the engine, nothing is begun. Images that cannot be made are
    reported and passed over. Raises Unavailable, Saturated and OSError, after which it can be begun again: what was
    made is found.
    """
    marker: str | None = ""
    while marker is not None:
        page = await originals.list(prefix=prefix, marker=marker, limit=PAGE)
        marker = page.marker
        for original in page.objects:
            for name, accept in names(original.name):
                while busy():  # noqa: ASYNC110  # the engine's queue can only be looked at
                    await asyncio.sleep(PATIENCE)
                yield Warmed(str(name), await _make(derivatives, name, accept))


async def count(originals: Container, names: Callable[[str], Sequence[Wanted]], prefix: str) -> int:
    """How many derived images `warm` will look at, as far as the listing tells now. Raises Unavailable."""
    total, marker = 0, ""
    while True:
        page = await originals.list(prefix=prefix, marker=marker, limit=PAGE)
        total += sum(len(names(original.name)) for original in page.objects)
        if page.marker is None:
            return total
        marker = page.marker


async def _make(derivatives: Derivatives, name: Name, accept: str) -> str:
    try:
        return (await derivatives.get(name, accept, lane="api")).level
    except NotFound:  # deleted since it was listed
        return "gone"
    except Corrupt:
        return "corrupt-transfer"
    except EngineError as error:
        if error.code == "saturated":
            raise
        return error.code
