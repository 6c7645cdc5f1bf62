"""A ladder bounds the widths that may be asked for on the public port, in every spelling, and not on the API port."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest
from PIL import Image

from tests import images
from tests.gateways import Gateway, running_gateway

CAT = images.jpeg(images.photo(800, 600))
WIDTHS = [160, 320, 640]


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    options = {"ladder": {"widths": WIDTHS, "snap": "up"}, "dialects": {"imgproxy": {"prefix": "/imgproxy"}}}
    with running_gateway(tmp_path_factory.mktemp("ladder"), options) as running:
        assert running.upload("cat.jpg", CAT).status_code == 201
        yield running


@pytest.fixture(scope="module")
def refusing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    options = {"ladder": {"widths": WIDTHS, "snap": "refuse"}, "public": {"url": "https://images.example.org"}}
    with running_gateway(tmp_path_factory.mktemp("refusing"), options) as running:
        assert running.upload("cat.jpg", CAT).status_code == 201
        yield running


def files(gateway: Gateway) -> set[str]:
    return {path.name for path in (gateway.derived / "cat.jpg").iterdir() if path.suffix in (".png", ".webp", ".jpg")}


@pytest.mark.parametrize(
    ("asked", "file", "size"),
    [
        ("cat.jpg/@w=300.png", "@w=320.png", (320, 240)),
        ("cat.jpg/@w=320.png", "@w=320.png", (320, 240)),
        ("cat.jpg/@w=%3300.png", "@w=320.png", (320, 240)),
        ("cat.jpg?w=301&format=png", "@w=320.png", (320, 240)),
        ("cat.jpg?xsize=160&ysize=80&dpr=1.9&format=png&fit=cover", "@w=320,h=160,fit=cover.png", (320, 160)),
        ("cat.jpg/@w=310,h=155,fit=cover.png?v=1", "@w=320,h=160,fit=cover.png", (320, 160)),
        ("cat.jpg/@w=100,thumbnail.webp", "@w=160,h=80,sharpen=0.5.webp", (107, 80)),
    ],
)
def test_every_spelling_of_a_width_is_served_by_the_file_of_its_rung(
    gateway: Gateway, asked: str, file: str, size: tuple[int, int]
) -> None:
    for _ in range(2):
        answer = gateway.public.get(f"/images/{asked}")
        assert answer.status_code == 200, answer.text
        assert Image.open(io.BytesIO(answer.content)).size == size
    assert file in files(gateway)


def test_a_rung_and_a_preset_are_served_by_nginx_alone(gateway: Gateway) -> None:
    asked = ("/images/cat.jpg/@w=640.png", "/images/cat.jpg/@w=50,h=50,sharpen=0.5.png", "/images/cat.jpg/@h=99.png")
    for path in asked:
        assert gateway.public.get(path).headers["X-Cache"] == "MISS"
    gateway.stop_service()
    try:
        assert [gateway.public.get(path).headers["X-Cache"] for path in asked] == ["HIT-DISK"] * 3
    finally:
        gateway.continue_service()


def test_a_file_beside_the_ladder_is_not_served_on_the_public_port(gateway: Gateway) -> None:
    made = gateway.api.get("/images/cat.jpg/@w=333.png")
    assert Image.open(io.BytesIO(made.content)).size == (333, 250)
    assert "@w=333.png" in files(gateway)
    answer = gateway.public.get("/images/cat.jpg/@w=333.png")
    assert Image.open(io.BytesIO(answer.content)).size == (640, 480)


def test_a_url_of_another_dialect_is_bounded_too(gateway: Gateway) -> None:
    for level in ("MISS", "HIT-DISK"):
        answer = gateway.public.get("/imgproxy/unsafe/w:200/plain/local:///cat.jpg@jpg")
        assert (answer.headers["X-Cache"], Image.open(io.BytesIO(answer.content)).size) == (level, (320, 240))


@pytest.mark.parametrize(
    ("asked", "detail"),
    [
        ("cat.jpg/@w=300.png", "w=300: must be 160 or 320, for the ladder has no width between"),
        ("cat.jpg?w=30&format=png", "w=30: must be 160 at least, for the ladder has no width between"),
        ("cat.jpg/@w=300,dpr=2.png", "w=600: must be 320 or 640, for the ladder has no width between"),
        ("cat.jpg/@w=641.png", "w=641: must be at most 640, the widest of the ladder"),
    ],
)
def test_a_width_that_is_refused_names_its_neighbours(refusing: Gateway, asked: str, detail: str) -> None:
    refused = refusing.public.get(f"/images/{asked}")
    assert (refused.status_code, refused.json()["detail"]) == (400, detail)
    assert refusing.public.get("/images/cat.jpg/@w=320.png").status_code == 200
    assert refusing.api.get(f"/images/{asked}").status_code == 200


def test_the_api_names_the_url_that_the_public_port_answers(gateway: Gateway, refusing: Gateway) -> None:
    body = {"names": ["cat.jpg/@w=300.png", "cat.jpg/@w=320.png"]}
    named = gateway.api.post("/names", json=body).json()
    assert [one["canonical"] for one in named] == body["names"]
    assert [one["url"].rpartition("/@")[2] for one in named] == ["w=320.png"] * 2
    urls = [one.get("url") for one in refusing.api.post("/names", json=body).json()]
    assert urls == [None, "https://images.example.org/images/cat.jpg/@w=320.png"]
