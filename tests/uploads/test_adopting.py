"""An upload becomes this node's copy of the original, and what its check has told becomes the metadata."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from service.cache import work as work_module
from tests import images
from tests.cache.nodes import Answer, Node, all_is_cleared, node
from tests.cache.test_counting import there
from tests.cache.test_disk_trouble import no_room, out_of_order
from tests.cache.test_replacing import Held
from tests.conftest import swift_options
from tests.waiting import PATIENCE

LONG = {"cache": {"revalidate": "1h"}}
RED, GREEN, BLUE = (200, 0, 0), (0, 200, 0), (0, 0, 200)


def flat(colour: tuple[int, int, int]) -> bytes:
    return images.png(images.flat(64, 48, colour))


def colour_told(answer: Answer) -> str:
    return str(json.loads(answer.body)["metadata"]["dominant_colour"])


def copies(one: Node) -> list[bytes]:
    return [path.read_bytes() for path in one.context.originals.root.rglob("*") if path.is_file()]


def count_calls(one: Node, monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """What the store is asked from now on."""
    calls = Counter[str]()

    def counted(container: str, call: str) -> None:
        work = getattr(getattr(one.context.store, container), call)

        async def count(*arguments: Any, **more: Any) -> Any:
            calls[f"{call} {container}"] += 1
            return await work(*arguments, **more)

        monkeypatch.setattr(getattr(one.context.store, container), call, count)

    for container in ("originals", "derived"):
        for call in ("put", "fetch"):
            counted(container, call)
    return calls


@pytest.fixture
async def one(tmp_path: Path) -> AsyncIterator[Node]:
    async with node(tmp_path, LONG) as running:
        yield running
        await all_is_cleared(running)
        usage = running.context.originals.usage
        assert (usage.bytes, usage.files) == there(running.context.originals.root)


@pytest.mark.parametrize("kind", ["directory", "swift"])
async def test_an_upload_costs_one_put_no_fetch_and_one_job(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    options = swift_options(request.getfixturevalue("swift")) if kind == "swift" else {}
    data = images.jpeg(exif=images.exif(6))
    async with node(tmp_path, {**options, "cache": {"persist": "url"}}) as one:
        calls, jobs = count_calls(one, monkeypatch), one.made
        stored = await one.upload("a.jpg", data)
        assert stored.status == 201
        told = json.loads(stored.body)["metadata"]
        assert (told["width"], told["height"]) == (240, 320)
        assert (calls, one.made - jobs) == ({"put originals": 1}, 1)
        assert (await one.api("a.jpg?original=true")).body == data
        assert (await one.api("a.jpg/@w=9.png")).status == 200
        assert (calls, one.made - jobs) == ({"put originals": 1}, 2)

        kept = await one.api("a.jpg/@meta.json")
        assert (kept.headers["X-Cache"], json.loads(kept.body)) == ("HIT-DISK", told)
        await one.context.derivatives.forget_everywhere("a.jpg")
        again = await one.api("a.jpg/@meta.json")
        assert (again.headers["X-Cache"], again.body) == ("MISS", kept.body)
        for validator in ("ETag", "Last-Modified"):
            assert again.headers[validator] == kept.headers[validator]


async def test_the_metadata_goes_to_the_derived_container_where_all_is_to_be_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with node(tmp_path, {"cache": {"persist": "always"}}) as one:
        calls = count_calls(one, monkeypatch)
        assert (await one.upload("a.png", flat(RED))).status == 201
        await one.context.derivatives.close()
        assert calls == {"put originals": 1, "put derived": 1}
        derived = one.context.store.derived
        assert [kept.name for kept in (await derived.list()).objects] == ["a.png/@meta.json"]
        one.context.derivatives.forget("a.png")
        assert (await one.api("a.png/@meta.json")).headers["X-Cache"] == "HIT-STORE"


async def test_the_same_bytes_again_change_nothing_but_their_time(one: Node) -> None:
    for _ in range(3):
        answer = await one.upload("a.png", flat(RED))
        assert (answer.status, colour_told(answer)) == (201, "#c80000")
        assert (await one.api("a.png/@w=9.png")).colour == RED
    assert copies(one) == [flat(RED)]


async def test_a_replacement_leaves_no_copy_of_what_was_there(one: Node) -> None:
    for colour, told in ((RED, "#c80000"), (GREEN, "#00c800"), (BLUE, "#0000c8")):
        assert colour_told(await one.upload("a.png", flat(colour))) == told
        assert copies(one) == [flat(colour)]
        assert (await one.api("a.png/@w=9.png")).colour == colour


async def test_of_many_uploads_of_one_name_the_last_is_what_is_served(one: Node) -> None:
    colours = [(number, 90, 10) for number in range(0, 200, 20)]
    answers = await asyncio.gather(*(one.upload("a.png", flat(colour)) for colour in colours))
    assert {answer.status for answer in answers} == {201}
    data = (one.root / "var/store/a.png").read_bytes()
    assert copies(one) == [data]
    assert (await one.api("a.png?original=true")).body == data
    (told,) = {colour_told(answer) for answer in answers if answer.headers["ETag"] == await etag(one)}
    assert json.loads((await one.api("a.png/@meta.json")).body)["dominant_colour"] == told


async def etag(one: Node) -> str:
    return (await one.api("a.png?original=true")).headers["ETag"]


async def test_what_another_node_has_stored_before_this_one_learned_of_its_own_is_found_at_the_next_look(
    one: Node,
) -> None:
    held = Held(one.context.store.originals, "put")
    uploading = asyncio.create_task(one.upload("a.png", flat(RED)))
    async with asyncio.timeout(PATIENCE):
        await held.reached.wait()
    (one.root / "var/store/a.png").write_bytes(flat(BLUE))
    held.go_on.set()
    assert colour_told(await uploading) == "#c80000"
    held.release()
    assert copies(one) == [flat(RED)]
    await one.context.originals.stat("a.png", fresh=True)
    assert (await one.api("a.png/@w=9.png")).colour == BLUE
    assert json.loads((await one.api("a.png/@meta.json")).body)["dominant_colour"] == "#0000c8"
    assert copies(one) == [flat(BLUE)]


async def test_what_another_node_has_stored_meanwhile_is_not_covered_by_the_upload(one: Node) -> None:
    assert (await one.upload("a.png", flat(GREEN))).status == 201
    held = Held(one.context.store.derived, "list")  # for what was derived of the former image
    uploading = asyncio.create_task(one.upload("a.png", flat(RED)))
    async with asyncio.timeout(PATIENCE):
        await held.reached.wait()
    (one.root / "var/store/a.png").write_bytes(flat(BLUE))
    assert (await one.context.originals.stat("a.png", fresh=True)).bytes == len(flat(BLUE))
    held.go_on.set()
    assert colour_told(await uploading) == "#0000c8"
    held.release()
    assert (await one.api("a.png/@w=9.png")).colour == BLUE
    assert copies(one) == [flat(BLUE)]


async def test_a_deletion_meanwhile_brings_nothing_back(one: Node) -> None:
    assert (await one.upload("a.png", flat(GREEN))).status == 201
    held = Held(one.context.store.derived, "list")
    uploading = asyncio.create_task(one.upload("a.png", flat(RED)))
    async with asyncio.timeout(PATIENCE):
        await held.reached.wait()
    (one.root / "var/store/a.png").unlink()
    held.release()
    assert (await one.api("a.png?original=true", **{"Cache-Control": "no-cache"})).status in (200, 404)
    one.context.originals.learn("a.png", None)
    held.go_on.set()
    stored = await uploading
    assert (stored.status, json.loads(stored.body)["metadata"]) == (201, None)
    assert copies(one) == []
    assert not (one.derived / "a.png").exists()


async def test_an_upload_succeeds_although_the_disk_takes_no_copy(one: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work_module, "RETRY", 0.2)
    with out_of_order(one.root / "var/cache/originals"):
        assert colour_told(await one.upload("a.png", flat(RED))) == "#c80000"
        assert (await one.api("a.png/@w=9.png")).colour == RED
        assert colour_told(await one.upload("a.png", flat(BLUE))) == "#0000c8"
        assert (await one.api("a.png/@w=9.png")).colour == BLUE


async def test_an_upload_succeeds_although_the_disk_takes_no_metadata(
    one: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    with no_room(one, monkeypatch, 28):
        assert colour_told(await one.upload("a.png", flat(RED))) == "#c80000"
    assert copies(one) == [flat(RED)]
    assert not (one.derived / "a.png/@meta.json").exists()


async def test_a_copy_that_is_deleted_is_fetched_again(one: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    await one.upload("a.png", flat(RED))
    calls = count_calls(one, monkeypatch)
    files = [path for path in one.context.originals.root.rglob("*") if path.is_file()]
    assert one.context.originals.evict(files) == 1
    assert (await one.api("a.png/@w=9.png")).colour == RED
    assert calls == {"fetch originals": 1}
