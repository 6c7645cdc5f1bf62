"""kill -9 of the service, an engine, nginx, the supervisor or all at once, under load: never a wrong or partial byte,
no leftovers.

A quick run is part of the tests; `KILLS=500` in the environment makes it a longer one, `make soak` a long one.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import time
from pathlib import Path

import pytest
from PIL import Image

from service.api.schema.models import Stats
from service.cache.usage import HIGH
from service.cache.work import spare_folder
from service.runtime.paths import paths_of
from tests.soak.killing import RECIPES, Load, Machine, loaded, running_machine, victim
from tests.waiting import eventually

pytestmark = [pytest.mark.slow, pytest.mark.nginx]

KILLS = int(os.environ.get("KILLS", "12"))
CHANCE = random.Random(1)


async def test_nothing_that_is_killed_at_any_moment_makes_a_wrong_or_partial_byte(tmp_path: Path) -> None:
    async with running_machine(tmp_path) as machine, loaded(machine) as load:
        for number in range(KILLS):
            kind, chance = victim(0, number)
            await asyncio.sleep(chance.random() * 0.2)
            await machine.kill(kind, chance)
            load.check()
        await eventually(lambda: load.seen[200] > KILLS and load.settled)  # a busy machine answers few
        load.check()
        await load.end()
        await machine.kill("all", CHANCE)
        await nothing_is_left_over(machine)
        await the_cache_is_still_used(machine, load)


async def nothing_is_left_over(machine: Machine) -> None:
    """The sweep at the start may be forgetting an image meanwhile; then the files go first, and the marker last."""
    paths = paths_of(machine.config)
    spare = spare_folder(paths.work.parent)
    for folder in filter(None, (paths.work, spare)):
        assert [path for path in folder.iterdir() if not path.is_dir()] == []
    await eventually(lambda: not list(paths.work.iterdir()))  # the reaper deletes the folders of forgotten images
    for file in [path for path in paths.derived.rglob("@*.*") if path.suffix != ".json"]:
        with contextlib.suppress(FileNotFoundError), Image.open(file) as image:
            image.load()
        assert (file.parent / "@base").exists() or not file.exists()


async def the_cache_is_still_used(machine: Machine, load: Load) -> None:
    image, _ = load.settled.most_common(1)[0]
    path = f"{image}.png/{RECIPES[0]}"
    for _ in range(3):
        await the_caches_are_at_rest(machine, load)
        second = await load.ask("GET", machine.config.public.listen, path)
        await asyncio.sleep(0.05)  # by the file system's clock it is read later than it was made, so it is in use
    assert second is not None
    assert second.headers["X-Cache"] == "HIT-DISK"
    await machine.kill("all", CHANCE)
    again = await load.ask("GET", machine.config.public.listen, path)
    assert again is not None
    assert (again.headers["X-Cache"], again.body) == ("HIT-DISK", second.body)


async def the_caches_are_at_rest(machine: Machine, load: Load) -> None:
    """Wait until what lies there is counted, below the high watermark and compared with the store: before that, an
    image may be evicted or forgotten a moment after it was made."""
    end = time.monotonic() + 120
    while True:
        async with load.client.get(f"http://{machine.config.api.listen}/stats") as response:
            stats = Stats.model_validate(await response.json())
        tree = stats.derived
        if tree.counted and stats.swept is not None and tree.bytes <= HIGH * tree.most_bytes:
            return
        assert time.monotonic() < end, stats
        await asyncio.sleep(0.05)
