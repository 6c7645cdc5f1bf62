"""What an operator can ask and order: how the caches are, and that they are warmed."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from gateway.names import Name, parse
from service.api.resources.stats import stats_of
from service.cache import janitor
from service.cache.recency import touch
from service.derivatives.warming import warm
from service.maintenance import tasks
from service.maintenance.revalidation import Revalidation
from service.store.base import StoredObject
from service.store.errors import Corrupt
from tests import images
from tests.cache.nodes import Node, node
from tests.waiting import PATIENCE


async def fill(one: Node, count: int) -> None:
    for number in range(count):
        await one.upload(f"{number:03}.png", images.png(images.flat(8, 8, (number, 2, 3))))


async def test_numbers_tell_what_was_answered_and_what_is_there(tmp_path: Path) -> None:
    async with node(tmp_path) as one:
        await fill(one, 4)
        for _ in range(3):
            await asyncio.gather(*(one.api(f"{number:03}.png/@w=4.png") for number in range(4)))
        await asyncio.gather(*(janitor.count() for janitor in one.context.tasks.janitors))
        stats = stats_of(one.context.tasks)
        answered = one.context.derivatives.answered
        assert answered["HIT-MEMORY"] == 8
        assert answered["MISS"] >= 4
        assert stats.memory_images == 4
        assert 0 < stats.memory_bytes < stats.most_memory_bytes
        assert stats.derived.files == sum(1 for _ in one.derived.rglob("*"))
        assert stats.originals.files == sum(1 for _ in (one.root / "var/cache/originals").rglob("*"))
        assert stats.derived.most_bytes == one.config.cache.derived
        assert (stats.disk_failures, stats.sweeps_failed, stats.flights) == ({}, 0, 0)


async def test_ages_tell_when_files_were_last_used(tmp_path: Path) -> None:
    async with node(tmp_path) as one:
        keeper = one.context.tasks.derived_janitor
        began = time.time() - 0.1  # the clock of files has a grain
        await keeper.count()
        assert 0 <= (stats_of(one.context.tasks).derived.oldest or 0) <= time.time() - began
        await fill(one, 3)
        for number in range(3):
            await one.api(f"{number:03}.png/@w=4.png")
        asked = time.time()
        await asyncio.sleep(0.5)
        touch(one.derived / "002.png/@w=4.png")
        touched = time.time()
        await keeper.count()
        stats = stats_of(one.context.tasks).derived
        assert stats.oldest is not None
        assert stats.newest is not None
        assert touched - asked <= stats.oldest <= time.time() - began
        assert 0 <= stats.newest <= time.time() - touched


async def test_a_service_under_load_stays_within_its_budgets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(janitor, "LOOK", 3600)  # the test says when to tidy
    budget = 400 * 1024
    async with node(tmp_path, {"cache": {"derived": f"{budget}B", "originals": "100KiB"}}) as one:
        await fill(one, 3)
        for round in range(4):
            for number in range(3):
                await asyncio.gather(*(one.api(f"{number:03}.png/@w={8 + width},up=1.png") for width in range(40)))
            await one.context.tasks.derived_janitor.tidy()
            await one.context.tasks.originals_janitor.tidy()
            disk = sum(4096 * -(-file.stat().st_size // 4096) for file in one.derived.rglob("*"))
            assert disk <= budget, round
        answer = await one.api("000.png/@w=8,up=1.png")
        assert (answer.status, answer.colour) == (200, (0, 2, 3))
        assert stats_of(one.context.tasks).derived.evicted > 0


async def test_a_background_task_that_fails_is_told_and_begins_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(tasks, "PAUSE", 0.1)
    monkeypatch.setattr(tasks, "FAILING", 1.0)
    async with node(tmp_path, {"cache": {"revalidate": "100ms"}}) as one:

        async def ready() -> tuple[int, str]:
            async with one.client.get(f"http://{one.config.api.listen}/health/ready") as answer:
                return answer.status, (await answer.json())["checks"]["caches"]

        async def until(status: int) -> str:
            async with asyncio.timeout(PATIENCE):
                while (answer := await ready())[0] != status:
                    await asyncio.sleep(0.05)
            return answer[1]

        await until(200)
        with monkeypatch.context() as patch:
            patch.setattr(Revalidation, "sweep", lambda _: 1 / 0)
            assert "comparison with the store" in await until(503)
            async with asyncio.timeout(PATIENCE):
                while one.context.tasks.revalidation.failures < 3:
                    await asyncio.sleep(0.05)
        assert "comparison with the store failed" in caplog.text
        assert await until(200) == "ready"
        await fill(one, 1)
        await one.api("000.png/@w=4.png")
        (one.root / "var/store/000.png").write_bytes(images.png(images.flat(8, 8, (9, 9, 9))))
        async with asyncio.timeout(PATIENCE):
            while (await one.api("000.png/@w=4.png")).colour != (9, 9, 9):
                await asyncio.sleep(0.05)


async def test_warming_passes_over_what_the_store_has_damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with node(tmp_path) as one:
        for number in range(3):
            (one.root / f"var/store/{number}.png").write_bytes(images.png())
        store = one.context.store.originals
        fetch = store.fetch

        async def damaged(name: str, target: Path) -> StoredObject:
            if name == "1.png":
                raise Corrupt("the object's bytes do not have its checksum")
            return await fetch(name, target)

        monkeypatch.setattr(store, "fetch", damaged)
        works = warm(
            one.context.derivatives, store, lambda image: [(parse(f"{image}/@w=4.png", "", one.context.rules), "")]
        )
        assert [warmed.outcome async for warmed in works] == ["MISS", "corrupt-transfer", "MISS"]


async def test_warming_makes_what_is_not_there_and_waits_while_the_engine_is_wanted(tmp_path: Path) -> None:
    async with node(tmp_path) as one:
        await fill(one, 5)
        (one.root / "var/store/text.png").write_bytes(b"this is no image")
        await one.api("001.png/@w=4.png")
        waits = iter([True, True])

        def names(image: str) -> list[tuple[Name, str]]:
            return [(parse(f"{image}/@w={width}.png", "", one.context.rules), "") for width in (4, 5)]

        told = [
            warmed
            async for warmed in warm(
                one.context.derivatives, one.context.store.originals, names, busy=lambda: next(waits, False)
            )
        ]
        assert [warmed.outcome for warmed in told[:4]] == ["MISS", "MISS", "HIT-DISK", "MISS"]
        assert {warmed.outcome for warmed in told if "text" in warmed.name} == {"not-an-image"}
        assert len(told) == 12
        assert next(waits, None) is None
        assert (await one.api("004.png/@w=5.png")).headers["X-Cache"].startswith("HIT")
