"""What operators ask of the caches and order: numbers, warming, purging."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from PIL import Image

from service import cli
from service.client import AsyncGateway, Gateway, calls
from service.observability import logs
from tests import gateways, images
from tests.cache.nodes import Node, node
from tests.waiting import PATIENCE, until

pytestmark = pytest.mark.slow

DOG = images.png(images.flat(80, 60))


@pytest.fixture
def client(shared: gateways.Gateway) -> Gateway:
    return Gateway(str(shared.api.base_url))


def stored(client: Gateway, folder: str, count: int) -> list[str]:
    names = [f"{folder}/{number}.png" for number in range(count)]
    for name in names:
        client.upload(name, DOG)
    return names


def test_numbers_tell_of_nginx_too(shared: gateways.Gateway, client: Gateway, folder: str) -> None:
    (name,) = stored(client, folder, 1)
    before = client.call(calls.stats())
    for _ in range(7):
        assert shared.public.get(f"/images/{name}/@w=20.png").status_code == 200
    end = time.monotonic() + PATIENCE
    while (now := client.call(calls.stats())).answered["HIT-DISK"] < before.answered["HIT-DISK"] + 6:
        assert time.monotonic() < end, now
        time.sleep(0.1)
    assert now.answered["MISS"] == before.answered["MISS"] + 1
    assert now.hit_ratio == pytest.approx(1 - now.answered["MISS"] / sum(now.answered.values()))
    assert 0 < now.derived.files < now.derived.most_files
    assert 0 < before.running < now.running


def test_warming_makes_what_is_missing_and_tells_what_cannot_be_made(
    shared: gateways.Gateway, client: Gateway, folder: str
) -> None:
    names = stored(client, folder, 3)
    (shared.root / f"var/store/{folder}/broken.png").write_bytes(images.png(images.flat(80, 60))[:60])
    (shared.root / f"var/store/{folder}/text.png").write_bytes(b"this is no image")
    client.get(f"{names[0]}/@w=20.png")
    lines = list(client.warm(["@w=20.png", "@w=30.auto", "thumbnail"], f"{folder}/"))
    last = lines[-1]
    assert (last.done, last.total, last.failed, last.problem) == (30, 30, 6, None)
    assert last.passed_over == 6
    assert {(line.name or "").partition("/@")[0] for line in lines if line.code} == {f"{folder}/broken.png"}
    made = {file.name for file in (shared.derived / names[1]).iterdir() if file.name.startswith("@w")}
    assert made == {"@w=20.png", "@w=30.jxl", "@w=30.avif", "@w=30.webp", "@w=30.jpg", "@w=50,h=50,sharpen=0.5.png"}
    assert last.made == 17
    assert [(line.made, line.done) for line in client.warm(["@w=20.png"], f"{folder}/1")] == [(0, 1), (0, 1)]


def test_warming_makes_no_still_image_of_an_animation(shared: gateways.Gateway, client: Gateway, folder: str) -> None:
    moving = f"{folder}/moving.gif"
    assert shared.api.put(f"/images/{moving}", content=images.gif_animated()).status_code == 201
    lines = list(client.warm(["@w=30.auto"], f"{folder}/"))
    assert (lines[-1].done, lines[-1].made, lines[-1].failed) == (4, 3, 0)
    made = {file.name: Image.open(file) for file in (shared.derived / moving).glob("@w=30*")}
    assert made.keys() == {"@w=30.avif", "@w=30.webp", "@w=30.gif"}
    assert {image.n_frames for image in made.values()} == {5}  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "body",
    [
        {"recipes": []},
        {"recipes": ["@w=wide.png"]},
        {"recipes": ["nothing"]},
        {"recipes": ["@w=3"]},
        {"recipes": ["../@w=3.png"]},
        {"recipes": ["x/@w=3.png"]},
        {"recipes": ["@w=3.png"] * 33},
        {"prefix": "a"},
    ],
)
def test_a_warming_that_means_nothing_is_refused(shared: gateways.Gateway, body: dict[str, Any]) -> None:
    assert shared.api.post("/warm", json=body).status_code == 400


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({"recipes": []}, "recipes: name one at least"),
        ({"recipes": ["full"] * 1001}, "recipes: must hold at most "),
        ({}, "recipes: name one at least"),
        ({"recipes": "full"}, "recipes: must be a list, such as [a, b]"),
        ({"recipes": [1]}, "recipes.0: must be a text"),
        ({"recipes": ["full"], "prefix": 1}, "prefix: must be a text"),
    ],
)
def test_what_is_wrong_with_a_body_is_told_in_plain_words(
    shared: gateways.Gateway, body: dict[str, Any], detail: str
) -> None:
    assert shared.api.post("/warm", json=body).json()["detail"].startswith(detail)


async def first_line(response: aiohttp.ClientResponse) -> dict[str, Any]:
    return dict(json.loads(await response.content.readline()))


async def idle(one: Node) -> None:
    async with asyncio.timeout(PATIENCE):
        while one.context.derivatives.flights or (await warming(one, "none")) != 200:
            await asyncio.sleep(0.05)


async def warming(one: Node, prefix: str) -> int:
    body = {"recipes": ["@w=20.png"], "prefix": prefix}
    async with one.client.post(f"http://{one.config.api.listen}/warm", json=body) as response:
        await response.read()
        return response.status


async def test_one_warms_at_a_time_behind_requests_and_until_he_leaves(tmp_path: Path) -> None:
    async with node(tmp_path) as one:
        for number in range(3):
            await one.upload(f"{number}.png", DOG)
        url, running = f"http://{one.config.api.listen}/warm", one.context.engine.stats.running
        one.context.engine.stats.running = 99  # the whole engine is at work
        async with one.client.post(url, json={"recipes": ["@w=20.png"]}) as response:
            waiting = await first_line(response)
            assert (waiting["done"], waiting["total"]) == (0, 3)
            assert await warming(one, "") == 503
            assert (await one.api("0.png/@w=10.png")).status == 200
            response.close()
        one.context.engine.stats.running = running
        await idle(one)
        assert not (one.derived / "2.png/@w=20.png").exists()
        assert await warming(one, "2") == 200
        assert (one.derived / "2.png/@w=20.png").exists()


async def test_a_service_that_stops_waits_for_no_warming(tmp_path: Path) -> None:
    async with aiohttp.ClientSession() as client:
        async with node(tmp_path) as one:
            await one.upload("a.png", DOG)
            one.context.engine.stats.running = 99
            response = await client.post(f"http://{one.config.api.listen}/warm", json={"recipes": ["@w=20.png"]})
            await first_line(response)
            began = time.monotonic()
        assert time.monotonic() - began < PATIENCE
        last = json.loads((await response.read()).splitlines()[-1])
        assert last["problem"]["status"] == 503


async def test_the_client_that_is_awaited_warms_too(shared: gateways.Gateway, client: Gateway, folder: str) -> None:
    stored(client, folder, 2)
    async with AsyncGateway(str(shared.api.base_url)) as gateway:
        lines = [line async for line in gateway.warm(["@w=20.png"], f"{folder}/")]
    assert (lines[-1].done, lines[-1].made) == (2, 2)


async def test_a_purge_of_all_leaves_no_file_and_no_object(tmp_path: Path) -> None:
    async with node(tmp_path, {"cache": {"persist": "always"}}) as one:
        for number in range(3):
            await one.upload(f"{number}.png", DOG)
            await one.api(f"{number}.png/@w=20.png")
        await one.context.derivatives.close()  # what was on its way is stored
        async with AsyncGateway(f"http://{one.config.api.listen}") as gateway:
            purged = await gateway.call(calls.purge(everything=True))
        assert (purged.images, purged.files, purged.objects) == (3, 9, 6)  # @base, @meta.json, @w=20.png
        for folder in ("cache/derived", "cache/work", "derived"):
            assert not [file for file in (tmp_path / "var" / folder).rglob("*") if file.is_file()], folder
        assert (await one.api("1.png/@w=20.png")).headers["X-Cache"] == "MISS"
        assert one.context.tasks.disk.tree.usage.files == sum(1 for _ in one.derived.rglob("*"))


async def test_a_purge_of_a_prefix_finds_what_the_store_has_lost_and_nothing_outside(tmp_path: Path) -> None:
    async with node(tmp_path) as one:
        for name in ("a/1.png", "a/2.png", "b/1.png"):
            await one.upload(name, DOG)
            await one.api(f"{name}/@w=20.png")
        (tmp_path / "var/store/a/2.png").unlink()
        outside = tmp_path / "var/store/b/1.png"
        async with AsyncGateway(f"http://{one.config.api.listen}") as gateway:
            for prefix in ("../", "../../store/", "/", f"{tmp_path}/", "@/", "a//", f"{'a' * 300}/", "a\0/"):
                assert (await gateway.call(calls.purge(prefix=prefix))).files == 0
            purged = await gateway.call(calls.purge(prefix="a/"))
        assert purged.images == 2
        assert [file.name for file in one.derived.iterdir()] == ["b"]
        assert outside.read_bytes() == DOG


def test_commands_show_numbers_and_warm(
    shared: gateways.Gateway,
    client: Gateway,
    folder: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(logs, "configure", lambda _: None)  # the log is pytest's here
    stored(client, folder, 2)
    api = ("--api", str(shared.api.base_url))
    for told in ("2 made, 0 there already, 0 failed", "0 made, 2 there already, 0 failed"):
        assert cli.main(["warm", "@w=20.png", "--prefix", f"{folder}/", *api]) == 0
        assert capsys.readouterr().out.splitlines() == [told]
    assert cli.main(["stats", *api]) == 0
    rows = {line.split("  ")[0]: line for line in capsys.readouterr().out.splitlines()}
    assert "10 GiB" in rows["derived"]
    assert "last used" in rows["cache"]
    assert "MISS" in rows["answered"]
    assert cli.main(["warm", "@w=wide.png", *api]) == 1
    assert "w=wide" in capsys.readouterr().err


def test_a_warming_that_is_stopped_tells_how_far_it_came(
    shared: gateways.Gateway, client: Gateway, folder: str
) -> None:
    picture = images.jpeg(images.photo(1600, 1200))
    for number in range(12):
        client.upload(f"{folder}/{number}.jpg", picture)
    recipes = [f"@w={width}.avif" for width in range(1500, 1510)]  # more work than is waited for
    heeding = ["env", "--default-signal=INT", sys.executable, "-m", "service"]  # as in cli/test_stopping.py
    command = ["warm", *recipes, "--prefix", f"{folder}/", "--api", str(shared.api.base_url)]
    warming = subprocess.Popen([*heeding, *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        until(lambda: len(list((shared.derived / folder).rglob("@w=150*.avif"))) >= 2)
    finally:
        warming.send_signal(signal.SIGINT)
        out, errors = warming.communicate(timeout=PATIENCE)
    assert warming.returncode == 130
    assert re.fullmatch(r"\d+ made, 0 there already, 0 failed\n", out)
    assert errors == "stopped; the same command goes on from here\n"
