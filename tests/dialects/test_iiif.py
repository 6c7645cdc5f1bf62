"""IIIF by both ports: pictures, documents, links and errors as the specification has them."""

from __future__ import annotations

import json

import httpx
import numpy as np
import pytest
from numpy.typing import NDArray

from tests import images
from tests.gateways import Gateway

IMAGE = "iiif/a map.png"
ID = "iiif%2Fa%20map.png"
WIDTH, HEIGHT = 200, 120


def coordinates() -> NDArray[np.uint8]:
    """A picture whose red says in which column a pixel is, and whose green says in which row."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    return np.stack([x, y, np.full_like(x, 77)], axis=-1).astype(np.uint8)


@pytest.fixture(scope="module", autouse=True)
def _image(gateway: Gateway) -> None:
    assert gateway.upload("iiif/a%20map.png", images.png(coordinates())).status_code == 201
    assert gateway.upload("iiif/turned.jpg", images.oriented(6)).status_code == 201
    assert gateway.upload("iiif/moving.gif", images.gif_animated()).status_code == 201


@pytest.fixture(params=["public", "api"])
def port(request: pytest.FixtureRequest, gateway: Gateway) -> httpx.Client:
    client: httpx.Client = getattr(gateway, request.param)
    return client


def pixels(answer: httpx.Response) -> NDArray[np.uint8]:
    assert answer.status_code == 200, answer.text
    return images.pixels(answer.content)


@pytest.mark.parametrize(
    ("asked", "x", "y", "width", "height"),
    [
        ("full/max", 0, 0, 200, 120),
        ("square/max", 40, 0, 120, 120),
        ("10,20,30,40/max", 10, 20, 30, 40),
        ("190,110,50,50/max", 190, 110, 10, 10),
        ("pct:25,50,50,25/max", 50, 60, 100, 30),
        ("pct:25,50,50,25/100,30", 50, 60, 100, 30),
    ],
)
def test_a_region_is_exactly_its_pixels(
    port: httpx.Client, asked: str, x: int, y: int, width: int, height: int
) -> None:
    found = pixels(port.get(f"/iiif/3/{ID}/{asked}/0/default.png"))
    assert np.array_equal(found, coordinates()[y : y + height, x : x + width])


@pytest.mark.parametrize(
    ("asked", "size"),
    [
        ("full/50,", (50, 30)),
        ("full/,60", (100, 60)),
        ("full/pct:50", (100, 60)),
        ("full/70,70", (70, 70)),
        ("full/!60,60", (60, 36)),
        ("full/^400,", (400, 240)),
        ("full/^!400,400", (400, 240)),
        ("0,0,64,64/16,", (16, 16)),
        ("0,0,10,10/^40,20", (40, 20)),
    ],
)
def test_a_size_is_exact(port: httpx.Client, asked: str, size: tuple[int, int]) -> None:
    assert pixels(port.get(f"/iiif/3/{ID}/{asked}/0/default.png")).shape[1::-1] == size


@pytest.mark.parametrize(
    ("rotation", "turned"),
    [
        ("90", np.rot90(coordinates(), -1)),
        ("180", np.rot90(coordinates(), 2)),
        ("270", np.rot90(coordinates(), 1)),
        ("!0", np.fliplr(coordinates())),
        ("!90", np.rot90(np.fliplr(coordinates()), -1)),
        ("!180", np.rot90(np.fliplr(coordinates()), 2)),
    ],
)
def test_a_rotation_mirrors_first_and_turns_clockwise(
    port: httpx.Client, rotation: str, turned: NDArray[np.uint8]
) -> None:
    assert np.array_equal(pixels(port.get(f"/iiif/3/{ID}/full/max/{rotation}/default.png")), turned)


@pytest.mark.parametrize("rotation", ["30", "22.5"])
def test_a_slanted_rotation_has_clear_corners(port: httpx.Client, rotation: str) -> None:
    found = images.pixels(port.get(f"/iiif/3/{ID}/full/max/{rotation}/default.png").content, "RGBA")
    assert found[0, 0, 3] == 0
    assert found[found.shape[0] // 2, found.shape[1] // 2, 3] == 255


def test_qualities(port: httpx.Client) -> None:
    gray = pixels(port.get(f"/iiif/3/{ID}/full/max/0/gray.png"))
    assert np.ptp(gray, axis=-1).max() == 0
    assert set(np.unique(pixels(port.get(f"/iiif/3/{ID}/full/max/0/bitonal.png")))) <= {0, 255}
    assert np.array_equal(pixels(port.get(f"/iiif/3/{ID}/full/max/0/color.png")), coordinates())


@pytest.mark.parametrize(
    ("format", "begins"),
    [
        ("jpg", b"\xff\xd8"),
        ("png", b"\x89PNG"),
        ("webp", b"RIFF"),
        ("tif", b"II*\0"),
        ("gif", b"GIF8"),
        ("jxl", b"\xff\x0a"),
    ],
)
def test_formats(port: httpx.Client, format: str, begins: bytes) -> None:
    assert port.get(f"/iiif/3/{ID}/full/40,/0/default.{format}").content.startswith(begins)


def test_an_image_is_upright_before_its_region_is_counted(port: httpx.Client) -> None:
    info = port.get("/iiif/3/iiif%2Fturned.jpg/info.json").json()
    whole = pixels(port.get("/iiif/3/iiif%2Fturned.jpg/full/max/0/default.png"))
    assert whole.shape[1::-1] == (info["width"], info["height"])


def test_an_animation_is_its_first_frame(port: httpx.Client) -> None:
    answer = port.get("/iiif/3/iiif%2Fmoving.gif/full/max/0/default.gif")
    assert answer.content.count(b"\x21\xf9\x04") <= 1


@pytest.mark.parametrize(
    "same", ["pct:25,50,50,25/max", "50,60,100,30/max", "50,60,100,30/100,", "50,60,100,30/pct:100"]
)
def test_a_region_in_pixels_or_percent_is_one_name(gateway: Gateway, same: str) -> None:
    answer = gateway.api.get(f"/iiif/3/{ID}/{same}/0/default.png")
    named = gateway.api.get(f"/images/{ID.replace('%2F', '/')}/@crop=50:60:100:30.png")
    assert named.headers["X-Cache"].startswith("HIT")
    assert answer.headers["ETag"] == named.headers["ETag"]


def test_info_json_of_version_3(port: httpx.Client) -> None:
    answer = port.get(f"/iiif/3/{ID}/info.json")
    info = answer.json()
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert info["@context"] == "http://iiif.io/api/image/3/context.json"
    assert info["id"] == f"{port.base_url}/iiif/3/{ID}"
    assert (info["type"], info["protocol"]) == ("ImageService3", "http://iiif.io/api/image")
    assert (info["profile"], info["width"], info["height"]) == ("level2", WIDTH, HEIGHT)
    assert (info["maxWidth"], info["maxHeight"]) == (4096, 4096)
    assert info["rights"] == "http://rightsstatements.org/vocab/NoC-US/1.0/"
    assert info["tiles"] == [{"width": 512, "height": 512, "scaleFactors": [1]}]
    assert {"webp", "avif", "jxl", "tif", "gif"} <= set(info["extraFormats"])
    assert set(info["extraQualities"]) == {"color", "gray", "bitonal"}
    assert {"mirroring", "sizeUpscaling", "canonicalLinkHeader", "profileLinkHeader"} <= set(info["extraFeatures"])


def test_info_json_of_version_2(port: httpx.Client) -> None:
    info = port.get(f"/iiif/2/{ID}/info.json").json()
    assert info["@context"] == "http://iiif.io/api/image/2/context.json"
    assert info["@id"] == f"{port.base_url}/iiif/2/{ID}"
    assert info["profile"][0] == "http://iiif.io/api/image/2/level2.json"
    assert info["license"] == "http://rightsstatements.org/vocab/NoC-US/1.0/"


def test_info_json_is_json_ld_where_it_is_asked_for(port: httpx.Client) -> None:
    answer = port.get(f"/iiif/3/{ID}/info.json", headers={"Accept": "application/ld+json"})
    wanted = 'application/ld+json;profile="http://iiif.io/api/image/3/context.json"'
    assert answer.headers["Content-Type"] == wanted
    assert "Accept" in answer.headers["Vary"]


def test_info_json_that_a_browser_has_is_not_sent_again(port: httpx.Client) -> None:
    url = f"/iiif/3/{ID}/info.json"
    etag = port.get(url).headers["ETag"]
    again = port.get(url, headers={"If-None-Match": etag})
    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", etag)
    assert again.headers["Access-Control-Allow-Origin"] == "*"
    assert port.get(url, headers={"If-None-Match": etag, "Accept": "application/ld+json"}).status_code == 200
    assert port.get(url, headers={"If-Match": '"another"'}).status_code == 412


def test_accept_may_name_the_other_version(port: httpx.Client) -> None:
    accept = 'application/ld+json;profile="http://iiif.io/api/image/2/context.json"'
    answer = port.get(f"/iiif/3/{ID}/info.json", headers={"Accept": accept})
    assert answer.headers["Content-Type"] == accept
    assert answer.json()["@id"] == f"{port.base_url}/iiif/2/{ID}"


def test_the_base_uri_leads_to_info_json(port: httpx.Client) -> None:
    answer = port.get(f"/iiif/3/{ID}")
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{port.base_url}/iiif/3/{ID}/info.json")


def test_links_name_the_canonical_uri_and_the_profile(port: httpx.Client) -> None:
    for _ in range(2):  # made, and remembered
        link = port.get(f"/iiif/3/{ID}/pct:0,0,50,100/50,/!90.0/color.png").headers["Link"]
        assert f'<{port.base_url}/iiif/3/{ID}/0,0,100,120/50,60/!90/default.png>;rel="canonical"' in link
        assert '<http://iiif.io/api/image/3/level2.json>;rel="profile"' in link


def test_a_browser_may_ask_before_it_asks(port: httpx.Client) -> None:
    answer = port.options(f"/iiif/3/{ID}/info.json", headers={"Origin": "http://localhost"})
    assert answer.status_code == 204
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("nix.png/info.json", 404),
        ("nix.png/full/max/0/default.jpg", 404),
        ("iiif/a%20map.png/full/max/0/default.jpg", 404),
        (f"{ID}/full/max/0", 404),
        (f"{ID}/", 404),
        (f"{ID}/frob/max/0/default.jpg", 400),
        (f"{ID}/full/frob/0/default.jpg", 400),
        (f"{ID}/full/201,/0/default.jpg", 400),
        (f"{ID}/full/^5000,/0/default.jpg", 400),
        (f"{ID}/full/max/frob/default.jpg", 400),
        (f"{ID}/full/max/0/frob.jpg", 400),
        (f"{ID}/full/max/0/default.frob", 400),
        (f"{ID}/200,0,10,10/max/0/default.jpg", 400),
        (f"{ID}/full/max/360.5/default.jpg", 400),
        (f"{ID}/full/max/0/default.jp2", 501),
    ],
)
def test_errors_are_plain_words_with_the_status_of_the_specification(
    port: httpx.Client, path: str, status: int
) -> None:
    answer = port.get(f"/iiif/3/{path}")
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "text/plain")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert len(answer.text.strip()) > 10


@pytest.mark.parametrize(
    "path", ["%2E%2E/info.json", "a%25%2F%2Fb/info.json", "%40w/info.json", "a%/info.json", "%FF/info.json"]
)
def test_what_can_be_no_name_is_404(gateway: Gateway, path: str) -> None:
    assert gateway.api.get(f"/iiif/3/{path}").status_code == 404


def test_only_reading_is_allowed(gateway: Gateway) -> None:
    assert gateway.public.post(f"/iiif/3/{ID}/info.json").status_code == 405
    assert gateway.api.put(f"/iiif/3/{ID}/info.json").status_code == 405


def test_head_has_the_headers_of_get(port: httpx.Client) -> None:
    path = f"/iiif/3/{ID}/full/max/0/default.png"
    for _ in range(2):
        got, asked = port.get(path), port.head(path)
        assert (asked.status_code, asked.content) == (200, b"")
        assert asked.headers["ETag"] == got.headers["ETag"]


def test_info_json_is_a_document_of_the_service(gateway: Gateway) -> None:
    assert json.loads(gateway.public.get(f"/iiif/3/{ID}/info.json").text)["sizes"] == [{"width": 200, "height": 120}]
