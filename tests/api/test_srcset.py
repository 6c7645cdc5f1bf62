"""What an `<img>` needs: the widths of an image with their URLs, its size, and its look."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image

from service.api.schema.models import Picture
from service.client import Gateway as Client
from tests import images
from tests.gateways import Gateway, running_gateway

PIXELS = images.photo(800, 600)
KEY = "the key of this year"
TOKENS = {"reader": ["read"], "signer": ["read", "sign"], "writer": ["read", "write"]}
WIDTHS = [160, 320, 640, 1280]
OPTIONS = {"ladder": {"widths": WIDTHS, "snap": "up"}, "public": {"cache_tags": {"header": "Cache-Tag"}}}


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with running_gateway(tmp_path_factory.mktemp("open"), OPTIONS) as running:
        for name in ("photos/a b.jpg", "cat.jpg"):
            assert running.upload(name, images.jpeg(PIXELS)).status_code == 201
        yield running


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    tokens = [
        {"name": name, "sha256": hashlib.sha256(name.encode()).hexdigest(), "scopes": scopes}
        for name, scopes in TOKENS.items()
    ]
    options = {"public": {"access": "signed", "keys": {"k": KEY}}, "api": {"tokens": tokens}}
    with running_gateway(tmp_path_factory.mktemp("signed"), options) as running:
        stored = running.api.put("/images/cat.jpg", content=images.jpeg(PIXELS), headers=bearer("writer"))
        assert stored.status_code == 201
        yield running


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def candidates(picture: Picture) -> list[tuple[str, int]]:
    """The URLs and widths of a srcset, split as HTML splits it: URLs hold no white space, and end in no comma."""
    found = re.findall(r"(\S*[^\s,]) (\d+)w(?:, |$)", picture.srcset)
    return [(url, int(width)) for url, width in found]


def test_every_candidate_is_as_wide_as_it_says(gateway: Gateway) -> None:
    query = "/images/photos/a%20b.jpg/@srcset.json?w=320,640,1280&format=auto"
    for port in (gateway.public, gateway.api):
        answer = port.get(query)
        assert answer.status_code == 200, answer.text
        picture = Picture.model_validate_json(answer.content)
        assert [width for _, width in candidates(picture)] == [320, 640, 800]
        for url, width in candidates(picture):
            image = Image.open(io.BytesIO(gateway.public.get(url).content))
            assert image.width == width
        assert (picture.width, picture.height, picture.src) == (800, 600, candidates(picture)[-1][0])
        assert picture.sizes == "(max-width: 800px) 100vw, 800px"
    public = gateway.public.get(query).headers
    assert public["Cache-Control"] == "public, max-age=3600"
    assert public["Cache-Tag"] == "photos/a%20b.jpg,photos/"
    assert public["Content-Type"].startswith("application/json")


def test_the_placeholder_is_a_png_of_the_look_of_the_image(gateway: Gateway) -> None:
    picture = Picture.model_validate_json(gateway.public.get("/images/cat.jpg/@srcset.json").content)
    assert picture.placeholder is not None
    head, _, data = picture.placeholder.partition(",")
    assert head == "data:image/png;base64"
    shown = Image.open(io.BytesIO(base64.b64decode(data)))
    assert shown.format == "PNG"
    assert shown.size == (32, 23)  # of a hash whose ratio is 7:5, as its reference decoder makes it
    pixels = np.asarray(shown.convert("RGBA"), float)
    assert pixels[..., 3].min() == 255
    for rows, part in ((slice(0, 8), PIXELS[:200]), (slice(-8, None), PIXELS[-200:])):
        assert pixels[rows, :, :3].mean(axis=(0, 1)) == pytest.approx(part.mean(axis=(0, 1)), abs=25)


def test_the_widths_are_those_of_the_ladder_by_default_and_snap_to_it(gateway: Gateway) -> None:
    picture = Picture.model_validate_json(gateway.public.get("/images/cat.jpg/@srcset.json?format=webp").content)
    assert [width for _, width in candidates(picture)] == [160, 320, 640, 800]
    picture = Picture.model_validate_json(gateway.api.get("/images/cat.jpg/@srcset.json?w=300,310&format=webp").content)
    assert [url.rpartition("/@")[2] for url, _ in candidates(picture)] == ["w=320.webp"]


def test_operations_are_shared_by_all_candidates(gateway: Gateway) -> None:
    asked = "/images/cat.jpg/@srcset.json?w=160,320&format=png&rot=90&crop=0:0:50p:100p&sizes=50vw"
    picture = Picture.model_validate_json(gateway.public.get(asked).content)
    assert picture.sizes == "50vw"
    found = Image.open(io.BytesIO(gateway.public.get(picture.src).content))
    assert found.size == (picture.width, picture.height)


@pytest.mark.parametrize(
    ("asked", "status", "detail"),
    [
        ("cat.jpg/@srcset.json?w=0", 400, "w=0: must be a whole number"),
        ("cat.jpg/@srcset.json?w=320,,640", 400, "w: must be 1 to 64 widths in pixels, such as 320,640,1280"),
        ("cat.jpg/@srcset.json?w=wide", 400, "w: must be 1 to 64 widths in pixels, such as 320,640,1280"),
        ("cat.jpg/@srcset.json?w=9000", 400, "w=9000: must be a whole number"),
        ("cat.jpg/@srcset.json?w=1300", 400, "w=1300: must be at most 1280, the widest of the ladder"),
        ("cat.jpg/@srcset.json?w=320&h=100", 400, "h: cannot be beside a list of widths"),
        ("cat.jpg/@srcset.json?w=320&format=xyz", 400, "format xyz: must be one of"),
        ("cat.jpg/@srcset.json?w=320&blurr=3", 400, "blurr: no such operation; did you mean blur?"),
        ("none.jpg/@srcset.json?w=320", 404, "there is no such image"),
        ("@srcset.json?w=320", 400, "the name is empty"),
    ],
)
def test_what_is_wrong_is_told_alike_on_both_ports(gateway: Gateway, asked: str, status: int, detail: str) -> None:
    for port in (gateway.public, gateway.api):
        answer = port.get(f"/images/{asked}", headers={"Accept": "*/*"})
        assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/problem+json")
        assert detail in answer.json()["detail"]


def test_where_names_need_signatures_the_api_alone_gives_them(signed: Gateway) -> None:
    path = "/images/cat.jpg/@srcset.json?w=320,640"
    refused = signed.public.get(path)
    assert (refused.status_code, refused.json()["detail"]) == (403, "@srcset.json: only the API answers this")
    assert signed.api.get(path).status_code == 401
    assert signed.api.get(path, headers=bearer("reader")).status_code == 403
    answer = signed.api.get(f"{path}&lifetime=1h", headers=bearer("signer"))
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    picture = Picture.model_validate_json(answer.content)
    assert [width for _, width in candidates(picture)] == [320, 640]
    for url, _ in candidates(picture):
        assert f"&exp={picture.expires}" in url
        assert signed.public.get(url).status_code == 200
        assert signed.public.get(url.partition("?")[0]).status_code == 401


def test_the_client_has_it_as_picture(gateway: Gateway) -> None:
    with Client(str(gateway.api.base_url)) as client:
        picture = client.picture("photos/a b.jpg", [160, 320], format="webp", gray=1)
    assert [url.rpartition("/@")[2] for url, _ in candidates(picture)] == ["w=160,gray=1.webp", "w=320,gray=1.webp"]


def test_warming_makes_every_width_of_the_ladder(gateway: Gateway) -> None:
    lines = gateway.api.post("/warm", json={"recipes": ["@q=60.webp"], "prefix": "cat", "ladder": True}).text
    last = json.loads(lines.splitlines()[-1])
    assert (last["done"], last["failed"]) == (4, 0)
    for width in WIDTHS:
        assert gateway.public.get(f"/images/cat.jpg/@w={width},q=60.webp").headers["X-Cache"] == "HIT-DISK"
    small = images.jpeg(images.photo(200, 150))
    assert gateway.upload("icons/small.jpg", small).status_code == 201
    lines = gateway.api.post("/warm", json={"prefix": "icons/", "ladder": True, "recipes": ["@full.png"]}).text
    last = json.loads(lines.splitlines()[-1])
    assert (last["done"], last["made"], last["failed"]) == (4, 2, 0)  # 160 and 320, at which it is whole
    for body in ({"recipes": ["@w=3.webp"], "ladder": True}, {"recipes": ["thumbnail"], "ladder": True}, {}):
        assert gateway.api.post("/warm", json=body).status_code == 400
