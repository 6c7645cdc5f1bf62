"""Warming: make derived images ahead of time, for a listing of originals, while the engine is idle."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, replace

from gateway.errors import Refused
from gateway.names import Name, check_image, escape, parse
from gateway.rules import CONTENT_TYPES, Rules
from service.derivatives.derivatives import Derivatives
from service.engine.job import EngineError
from service.engine.pool.pool import EnginePool
from service.store.base import Container
from service.store.errors import Corrupt, NotFound

PAGE = 5000  # names of the listing at once
PATIENCE = 0.1  # seconds between two looks whether the engine is wanted


NEEDLESS = "needless"
Wanted = tuple[Name, str]
"""A derived name, and the Accept header of a client that asks for it, where the name leaves the format open."""


@dataclass(frozen=True, slots=True)
class Warmed:
    """One derived image: its name, and what became of it: HIT-…, MISS when it was made now, NEEDLESS, or the problem's
    code."""

    name: str
    outcome: str


async def warm(
    derivatives: Derivatives,
    originals: Container,
    names: Callable[[str], Sequence[Wanted]],
    *,
    prefix: str = "",
    busy: Callable[[], bool] = lambda: False,
    needless: Callable[[Name], bool] = lambda _: False,
) -> AsyncGenerator[Warmed, None]:
    """Make what `names` gives for each original below the prefix, one after the other, and tell of each.

    While `busy` returns True, since requests wait for the engine, nothing is begun. What is `needless` by what is known
    of its image is passed over. Images that cannot be made are reported and passed over. Raises Unavailable, Saturated
    and OSError, after which it can be begun again: what was made is found.
    """
    marker: str | None = ""
    while marker is not None:
        page = await originals.list(prefix=prefix, marker=marker, limit=PAGE)
        marker = page.marker
        for original in page.objects:
            for name, accept in names(original.name):
                if needless(name):
                    yield Warmed(str(name), NEEDLESS)
                    continue
                while busy():  # noqa: ASYNC110  # the engine's queue can only be looked at
                    await asyncio.sleep(PATIENCE)
                yield Warmed(str(name), await make(derivatives, name, accept))


def namer(recipes: Sequence[str], rules: Rules) -> Callable[[str], Sequence[Wanted]]:
    """A function that says what is to be made of an image: its derived names, `auto` as clients of each format would
    ask for it. Raises Refused."""
    wanted: dict[tuple[str, str], Name] = {}
    for recipe in recipes:
        leaf = recipe if recipe.startswith("@") else f"@{_preset(recipe)}.{rules.default_format}"
        name = parse(escape(f"image/{leaf}"), "", rules)
        formats = rules.negotiate if name.format == "auto" else ()
        for accept in (*(CONTENT_TYPES[format] for format in formats), ""):
            wanted[str(name), accept] = name

    def names(image: str) -> Sequence[Wanted]:
        try:
            check_image(image)
        except Refused:  # it came into the store in another way, and cannot be asked for
            return ()
        return [(replace(name, image=image), accept) for (_, accept), name in wanted.items()]

    return names


def _preset(word: str) -> str:
    """The word itself, unless it looks like a recipe. Raises Refused, with a hint at the missing `@`."""
    if any(sign in word for sign in "=.,"):
        raise Refused(
            400, f"recipes: {word}: a recipe begins with @; did you mean @{word}? Only presets are bare words"
        )
    return word


def is_wanted(engine: EnginePool) -> bool:
    """Whether requests wait for the engine, or would have to if another job were begun, or none can be done."""
    return any(engine.waiting.values()) or engine.stats.running >= engine.at_once or not engine.can_work


async def wait_for_engine(engine: EnginePool) -> None:
    """Return as soon as no request wants the engine."""
    while is_wanted(engine):  # noqa: ASYNC110  # the engine's queue can only be looked at
        await asyncio.sleep(PATIENCE)


async def count(originals: Container, names: Callable[[str], Sequence[Wanted]], prefix: str) -> int:
    """How many derived images `warm` will look at, as far as the listing tells now. Raises Unavailable."""
    total, marker = 0, ""
    while True:
        page = await originals.list(prefix=prefix, marker=marker, limit=PAGE)
        total += sum(len(names(original.name)) for original in page.objects)
        if page.marker is None:
            return total
        marker = page.marker


async def make(derivatives: Derivatives, name: Name, accept: str) -> str:
    """Make one derived image; what became of it, as in `Warmed`. Raises as `warm` does."""
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
