"""Overlays through a whole gateway: a changed logo is a changed name, and a required one cannot be got around."""

from __future__ import annotations

import io
import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
import yaml
from PIL import Image

from tests import images
from tests.cli.checking import CheckFile
from tests.gateways import Gateway, running_gateway
from tests.waiting import PATIENCE, until

RED, BLUE, GROUND = (255, 0, 0), (0, 0, 255), (40, 120, 200)
OPTIONS = {
    "overlays": {
        "logo": {"file": "logo.webp", "place": "nw:0:0:1:50p"},
        "credit": {"text": "© {copyright}", "place": "se:2p:2p", "size": "10%"},
    },
    "metadata": {"keep": ["copyright"]},
    "presets": {"marked": "w=100,over=logo"},
}


def write_logo(folder: Path, colour: tuple[int, int, int]) -> None:
    Image.new("RGB", (40, 40), colour).save(folder / "logo.webp", lossless=True)


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    root = tmp_path_factory.mktemp("overlays")
    write_logo(root, RED)
    with running_gateway(root, OPTIONS) as running:
        block = Image.Exif()
        block[0x8298] = "Ann"
        running.upload("a.jpg", images.jpeg(images.flat(400, 200, GROUND), quality=95, exif=block.tobytes()))
        yield running


def corner(answer: httpx.Response) -> tuple[int, ...]:
    """The colour in the middle of where the logo lies."""
    assert answer.status_code == 200, answer.text
    picture = Image.open(io.BytesIO(answer.content)).convert("RGB")
    found = np.asarray(picture)[: picture.height // 4, : picture.width // 4].mean((0, 1))
    return min((RED, BLUE, GROUND), key=lambda colour: float(np.abs(found - colour).max()))


def canonical(gateway: Gateway, name: str) -> str:
    (found,) = gateway.api.post("/names", json={"names": [name]}).json()
    return str(found["canonical"])


def reload(gateway: Gateway, **options: object) -> None:
    """Put the configuration in force with these sections changed."""
    file = gateway.root / "config.yaml"
    document = yaml.safe_load(file.read_text())
    for section, change in options.items():
        document[section] = {**document.get(section, {}), **change} if isinstance(change, dict) else change
    file.write_text(yaml.safe_dump(document))
    before = gateway.log.count(" reloaded")
    workers = set(gateway.pids("nginx: worker"))
    os.kill(gateway.process.pid, signal.SIGHUP)
    until(lambda: gateway.log.count(" reloaded") > before)
    until(lambda: not workers & set(gateway.pids("nginx: worker")))  # those that follow the rules of before


def test_a_logo_and_a_text_lie_on_the_image_on_both_ports(gateway: Gateway) -> None:
    for port in (gateway.public, gateway.api):
        assert corner(port.get("/images/a.jpg/@w=200,over=logo.png")) == RED
        assert corner(port.get("/images/a.jpg/@w=200.png")) == GROUND
        assert corner(port.get("/images/a.jpg/@marked.webp")) == RED
        assert corner(port.get("/images/a.jpg?w=200&over=logo&format=jpg")) == RED
    text = np.asarray(
        Image.open(io.BytesIO(gateway.public.get("/images/a.jpg/@over=credit.png").content)).convert("RGB")
    )
    assert (text[100:, 200:].min(-1) > 190).sum() > 20
    assert not (text[:100].min(-1) > 190).any()


def test_a_changed_logo_is_a_changed_name_and_nothing_stale_is_served(gateway: Gateway) -> None:
    before = canonical(gateway, "a.jpg/@over=logo.png")
    assert re.fullmatch(r"a\.jpg/@over=logo\.[0-9a-f]{12}:nw:0:0:1:50p\.png", before)
    assert corner(gateway.public.get(f"/images/{before}")) == RED
    write_logo(gateway.root, BLUE)
    reload(gateway)
    after = canonical(gateway, "a.jpg/@over=logo.png")
    assert after != before
    for name in (after, before, "a.jpg/@over=logo.png"):
        assert corner(gateway.public.get(f"/images/{name}")) == BLUE
        assert corner(gateway.api.get(f"/images/{name}")) == BLUE


SPELLINGS = (
    "/images/a.jpg/@w=200.png", "/images/a.jpg?width=200", "/images/a.jpg/@w=200,q=80.jpg",
    "/images/a.jpg", "/images/a.jpg?w=200", "/images/a.jpg?w=200&format=png&over=credit", "/images/a.jpg/@full.png",
    "/images/a.jpg/%40w=200.png", "/images/%61.jpg/@w=200.webp", "/images/a.jpg/@w=0200.png",
    "/images/a.jpg/@marked.png", "/images/a.jpg/@w=200,over=logo:se:0:0:0.01:1p.png", "/images/a.jpg/@full.source",
    "/images/a.jpg/@w=200.auto", "/images/a.jpg/@w=200.png?v=1", "/images/a.jpg/@w=200.png?utm_source=x",
    "/images/a.jpg/@w=200.png?sig=x.y", "/images/a.jpg/@w=200,over=logo.000000000000.png",
    "/images/a.jpg/@over=credit:nw:0:0:1:100p.png", "/images/a.jpg/@w=200,bitonal=1.png", "/images/a.jpg?original=True",
    "/images/a.jpg/@w=200,blur=50,bri=100.png", "/images/a.jpg/@w=200,mask=ellipse,colors=2.png",
)  # fmt: skip


def test_a_required_overlay_cannot_be_got_around_by_any_spelling(gateway: Gateway) -> None:
    """Although all of these lie in the cache without it: the API, whose clients are known, has them as they ask."""
    write_logo(gateway.root, BLUE)
    for spelling in SPELLINGS:
        gateway.public.get(spelling)
    assert corner(gateway.public.get("/images/a.jpg/@w=200.png")) == GROUND
    reload(gateway, public={"overlays": {"required": ["logo"]}})
    weak = canonical(gateway, "a.jpg/@w=200,over=logo:se:0:0:0.01:1p.png")
    assert corner(gateway.api.get(f"/images/{weak}")) == GROUND
    for spelling in (*SPELLINGS, f"/images/{weak}"):
        answer = gateway.public.get(spelling)
        if answer.status_code not in (400, 403):
            assert answer.status_code == 200, answer.text
            picture = np.asarray(Image.open(io.BytesIO(answer.content)).convert("RGBA"), int)[..., :3]
            assert (np.abs(picture - BLUE).max(-1) < 60).sum() > 300, spelling
    assert corner(gateway.api.get("/images/a.jpg/@w=200.png")) == GROUND
    (named,) = gateway.api.post("/names", json={"names": ["a.jpg/@w=200.png"]}).json()
    assert corner(httpx.get(named["url"], trust_env=False, timeout=PATIENCE)) == BLUE


@pytest.mark.parametrize(
    ("overlay", "why"),
    [
        ({"file": "none.png"}, "none.png: No such file"),
        ({"file": "config.yaml"}, "overlays.logo.file: "),
        ({"text": "{copyright}"}, "needs metadata.keep: [copyright]"),
        ({"text": "{gps}"}, "must be one of copyright, credit"),
        ({"file": "a.png", "text": "x"}, "must have a file or a text, and not both"),
        ({"text": "x", "font": "none.ttf"}, "none.ttf: No such file"),
        ({"file": "a.png", "place": "up"}, "must be one of center, n, ne"),
    ],
)
def test_an_overlay_that_cannot_be_used_is_refused_before_a_start(
    overlay: dict[str, str], why: str, tmp_path: Path, check_file: CheckFile
) -> None:
    (tmp_path / "config.yaml").write_text(yaml.safe_dump({"overlays": {"logo": overlay}}))
    status, stdout, stderr = check_file(tmp_path / "config.yaml")
    assert status != 0
    assert why in stdout + stderr
