"""Warm the caches: make derived images ahead of requests, one at a time and behind all real requests."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import Annotated, TypeVar

from aiohttp import web
from pydantic import Field, StringConstraints

from gateway.errors import Refused
from gateway.names import Name
from service.api.http.context import CONTEXT, Context
from service.api.http.problems import BEGUN
from service.api.http.sending import write
from service.api.http.validation import validated
from service.api.resources.urls import problem_of
from service.api.schema.models import NDJSON, WarmProgress
from service.api.schema.request_models import LONGEST_NAME, Body
from service.derivatives.warming import NEEDLESS, Wanted, Warmed, count, is_wanted, namer, warm
from service.engine.job import EngineError, NotAnImage, Saturated
from service.store.errors import StoreError

MOST = 32  # recipes of one request
TICK = 1.0  # seconds between two lines at most, so that a client that has left is noticed
_SIZED = ("w=", "h=", "xsize=", "ysize=", "dpr=")  # operations that the widths of a ladder leave no room for
MADE, FOUND, NO_IMAGE = "MISS", ("HIT-DISK", "HIT-MEMORY", "HIT-STORE", "gone", NEEDLESS), NotAnImage.code

T = TypeVar("T")
Recipe = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_NAME)]


@dataclass(slots=True)
class Turn:
    """The turn to warm: one client's at a time, and none when the service stops."""

    taken: bool = False
    over: bool = False

    async def end(self, _app: web.Application) -> None:
        self.over = True


WARMING = web.AppKey("warming", Turn)


class WarmBody(Body):
    """What shall be made, and of which images."""

    recipes: list[Recipe] = Field(
        [], max_length=MOST, description="as in derived names: @w=300.webp; or the bare word of a preset"
    )
    ladder: bool = Field(
        False, description="make each recipe at every width of the ladder; without recipes, the whole image in auto"
    )
    prefix: str = Field("", description="of images whose names begin with this; of all where it is empty")


@validated(WarmBody)
async def warm_images(request: web.Request, asked: WarmBody) -> web.StreamResponse:
    """Make derived images ahead of time.

    The answer is lines of progress until all are there; when the client leaves, nothing more is made. While requests
    wait for the engine, or keep all of it busy, nothing is begun.
    """
    context, turn = request.app[CONTEXT], request.app[WARMING]
    recipes = at_every_width(asked.recipes, context.config.rungs) if asked.ladder else asked.recipes
    if not recipes:
        raise Refused(400, "recipes: name one at least, such as @w=300.webp, or ask for the ladder")
    names = namer(recipes, context.rules)
    if turn.taken:
        raise Saturated("this node is being warmed already; wait for the end of that", retry_after=60.0)
    turn.taken = True
    try:
        return await _answer(request, names, asked.prefix, ladder=asked.ladder)
    finally:
        turn.taken = False


async def _answer(
    request: web.Request, names: Callable[[str], Sequence[Wanted]], prefix: str, *, ladder: bool
) -> web.StreamResponse:
    context, turn = request.app[CONTEXT], request.app[WARMING]

    def busy() -> bool:
        return turn.over or is_wanted(context.engine)

    originals = context.store.originals
    response = web.StreamResponse(headers={"Content-Type": NDJSON, "Cache-Control": "no-store"})
    work = warm(
        context.derivatives,
        originals,
        names,
        prefix=prefix,
        busy=busy,
        needless=partial(_is_needless, context, ladder=ladder),
    )
    progress, sent_at = WarmProgress(done=0, made=0, failed=0, total=None), 0.0
    counting = asyncio.create_task(count(originals, names, prefix))
    try:
        async with aclosing(_ticking(_caught(work))) as steps:
            async for step in steps:
                if turn.over:
                    return await _end(request, response, progress, Saturated("the service stops; begin again"))
                if isinstance(step, Exception):
                    return await _end(request, response, progress, step)
                progress = _next(progress, step, counting)
                if step is None or progress.name or time.monotonic() - sent_at >= TICK:
                    await _send_progress(request, response, progress)
                    sent_at = time.monotonic()
    finally:
        counting.cancel()
        await asyncio.gather(counting, return_exceptions=True)
    return await _end(request, response, progress.model_copy(update={"total": progress.done}), None)


def at_every_width(recipes: Sequence[str], widths: Sequence[int]) -> list[str]:
    """The recipes, each with every width of the ladder. Raises Refused for one that has a width, or is a preset."""
    found = []
    for recipe in recipes or ["@full.auto"]:
        body, _, format = recipe.removeprefix("@").rpartition(".")
        parts = [part for part in body.split(",") if part != "full"]
        if not recipe.startswith("@") or any(part.startswith(_SIZED) or "=" not in part for part in parts):
            raise Refused(400, f"recipes: {recipe}: with the ladder, must be without a size, such as @q=60.auto")
        found += [f"@{','.join((f'w={width}', *parts))}.{format}" for width in widths]
    return found


def _is_needless(context: Context, name: Name, *, ladder: bool) -> bool:
    """Whether a narrower rung of the ladder is as wide as the whole image already, so that this one is the same again;
    False while nothing is known of the image."""
    marker = context.derivatives.noted(name.image) if ladder else None
    if marker is None or "up" in name.recipe:
        return False
    widest = max(marker.shape.width, marker.shape.height)  # a recipe may turn it
    return any(widest <= rung < int(name.recipe.get("w", 0)) for rung in context.config.ladder.widths)


def _next(progress: WarmProgress, step: Warmed | None, counting: asyncio.Task[int]) -> WarmProgress:
    known = counting.done() and not counting.cancelled() and counting.exception() is None
    total = counting.result() if known else None
    if step is None:
        return progress.model_copy(update={"total": total, "name": None, "code": None})
    failed = step.outcome not in (MADE, NO_IMAGE, *FOUND)
    return WarmProgress(
        done=progress.done + 1,
        made=progress.made + (step.outcome == MADE),
        failed=progress.failed + failed,
        passed_over=progress.passed_over + (step.outcome == NO_IMAGE),
        total=total,
        name=step.name if failed else None,
        code=step.outcome if failed else None,
    )


async def _send_progress(request: web.Request, response: web.StreamResponse, progress: WarmProgress) -> None:
    if not response.prepared:
        await response.prepare(request)
        request[BEGUN] = True
    await write(response, f"{progress.model_dump_json()}\n".encode())


async def _end(
    request: web.Request, response: web.StreamResponse, progress: WarmProgress, error: Exception | None
) -> web.StreamResponse:
    """The last line. What fails before the first one is a problem like any other."""
    if error and not response.prepared:
        raise error
    ended = {"name": None, "code": None, "problem": problem_of(error) if error else None}
    await _send_progress(request, response, progress.model_copy(update=ended))
    await response.write_eof()
    return response


async def _caught(work: AsyncGenerator[Warmed, None]) -> AsyncGenerator[Warmed | Exception, None]:
    """What is warmed, and, as the last, why it ended early."""
    async with aclosing(work):
        try:
            async for one in work:
                yield one
        except (StoreError, EngineError, OSError) as error:
            yield error


async def _ticking(items: AsyncGenerator[T, None]) -> AsyncGenerator[T | None, None]:
    """The items, and None whenever the next one takes longer than a tick. Nothing is under way once it is closed."""
    async with aclosing(items):
        while True:
            step = asyncio.ensure_future(_step(items))
            try:
                while not (await asyncio.wait({step}, timeout=TICK))[0]:
                    yield None
            finally:
                step.cancel()
                await asyncio.wait({step})
            item = step.result()
            if item is None:
                return
            yield item


async def _step(items: AsyncGenerator[T, None]) -> T | None:
    return await anext(items, None)
