"""What is negotiated can show the image: an animation moves, and nothing is longer than its format allows."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from service.engine.job import EngineError, Job, Result, Saturated, TimedOut, TooLarge
from service.engine.pool.pool import EnginePool
from tests import images
from tests.cache.nodes import node
from tests.gateways import Gateway

BOTH, ANY = "image/avif,image/webp,*/*", "*/*"


@pytest.fixture(scope="module", autouse=True)
def uploaded(gateway: Gateway) -> None:
    for name, data in (
        ("moves.gif", images.gif_animated(5)),
        ("many.gif", images.animation(images.moving(600, 12, 180), "GIF", duration=50, loop=0)),
        ("wide.jpg", images.jpeg(images.photo(17000, 60))),
        ("long.png", images.png(images.flat(60, 65501))),
    ):
        assert gateway.upload(name, data).status_code == 201


@pytest.mark.parametrize(
    ("path", "accept", "kind"),
    [
        ("moves.gif/@full.auto", BOTH, "avif"),
        ("moves.gif/@w=40.auto", BOTH, "avif"),
        ("moves.gif/@w=40.auto", "image/webp,*/*", "webp"),
        ("many.gif/@gray=1.auto", BOTH, "webp"),
        ("many.gif/@w=40.auto", BOTH, "avif"),
        ("many.gif/@gray=1.auto", "image/avif,*/*", "gif"),
        ("moves.gif/@w=40.auto", ANY, "gif"),
        ("moves.gif/@w=40.auto", "image/jxl,*/*", "gif"),
        ("moves.gif/@w=40,frame=1.auto", "image/jxl,*/*", "jxl"),
        ("moves.gif/@w=40,frame=1.auto", BOTH, "avif"),
        ("wide.jpg/@full.auto", "image/webp,*/*", "jpeg"),
        ("wide.jpg/@gray=1.auto", "image/webp,*/*", "jpeg"),
        ("wide.jpg/@gray=1.auto", BOTH, "avif"),
        ("wide.jpg/@w=300.auto", "image/webp,*/*", "webp"),
        ("long.png/@gray=1.auto", BOTH, "png"),
    ],
)
def test_auto_is_a_format_that_can_show_the_image(gateway: Gateway, path: str, accept: str, kind: str) -> None:
    """Made, then found by nginx, then found by the service."""
    for client in (gateway.public, gateway.public, gateway.api):
        answered = client.get(f"/images/{path}", headers={"Accept": accept})
        assert (answered.status_code, answered.headers["Content-Type"]) == (200, f"image/{kind}")
        assert frames(answered) == (180 if "many" in path else 5 if "moves" in path and "frame" not in path else 1)


def test_an_image_in_a_format_that_cannot_hold_it_is_not_served_for_auto_either(gateway: Gateway) -> None:
    still = gateway.public.get("/images/moves.gif/@w=41.jpg")
    assert (still.status_code, frames(still)) == (200, 1)
    for client in (gateway.public, gateway.public, gateway.api):
        answered = client.get("/images/moves.gif/@w=41.auto", headers={"Accept": "image/jpeg"})
        assert (answered.headers["Content-Type"], frames(answered)) == ("image/gif", 5)


def test_nginx_knows_it_without_the_service(gateway: Gateway) -> None:
    asked = [("moves.gif/@w=42.auto", "image/avif"), ("wide.jpg/@gray=1,q=50.auto", "image/webp")]
    made = [gateway.public.get(f"/images/{path}", headers={"Accept": accept}) for path, accept in asked]
    gateway.stop_service()
    try:
        again = [gateway.public.get(f"/images/{path}", headers={"Accept": accept}) for path, accept in asked]
    finally:
        gateway.continue_service()
    assert [one.headers["X-Cache"] for one in again] == ["HIT-DISK", "HIT-DISK"]
    assert [one.content for one in again] == [one.content for one in made]


@pytest.mark.parametrize(
    ("path", "bound"),
    [("wide.jpg/@full.webp", "webp holds at most 16383"), ("long.png/@w=60.avif", "avif holds at most 32768")],
)
def test_what_no_format_holds_is_refused_with_its_bound(gateway: Gateway, path: str, bound: str) -> None:
    for client in (gateway.public, gateway.api):
        answered = client.get(f"/images/{path}")
        assert (answered.status_code, answered.json()["type"]) == (422, "urn:image-gateway:problem:unsatisfiable")
        assert bound in answered.json()["detail"]


@pytest.mark.parametrize("failure", [TimedOut("too long"), TooLarge("too much memory"), EngineError("nobody knows")])
async def test_a_whole_image_that_cannot_be_made_better_stays_as_it_is_and_this_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: EngineError
) -> None:
    async with node(tmp_path, nginx=True) as one:
        await one.upload("a.jpg", images.jpeg())
        tried = fail_for("avif", failure, one.context.engine, monkeypatch)
        for ask in (one.public, one.public, one.api):
            answered = await ask("a.jpg/@full.auto", Accept="image/avif")
            assert (answered.status, answered.headers["Content-Type"]) == (200, "image/jpeg")
        assert len(tried) == 1
        assert answered.headers["X-Cache"].startswith("HIT")


async def test_what_only_the_moment_refuses_is_not_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with node(tmp_path) as one:
        await one.upload("a.png", images.png())
        with monkeypatch.context() as patch:
            fail_for("webp", Saturated("full"), one.context.engine, patch)
            assert (await one.api("a.png/@full.auto", Accept="image/webp")).status == 503
        answered = await one.api("a.png/@full.auto", Accept="image/webp")
        assert answered.headers["Content-Type"] == "image/webp"


def frames(answered: httpx.Response) -> int:
    with Image.open(io.BytesIO(answered.content)) as image:
        return getattr(image, "n_frames", 1)


def fail_for(format: str, failure: EngineError, engine: EnginePool, monkeypatch: pytest.MonkeyPatch) -> list[Job]:
    """Have the engine fail for one format; the jobs that did."""
    run, tried = engine.run, []

    async def failing(job: Job, **more: Any) -> Result:
        if job.format != format:
            return await run(job, **more)
        tried.append(job)
        raise failure

    monkeypatch.setattr(engine, "run", failing)
    return tried
