"""The way through: an image goes in at the API, its derived images come out through nginx."""

from __future__ import annotations

import io
from datetime import timedelta
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any

import httpx
import pytest
from PIL import Image

from tests import images
from tests.gateways import Gateway

pytestmark = pytest.mark.parametrize("store_kind", ["directory", "swift"], indirect=True, scope="module")

CAT = images.jpeg(images.photo(640, 480), quality=90, exif=images.exif(1))


@pytest.fixture(scope="module", autouse=True)
def cat(gateway: Gateway) -> None:
    created = gateway.upload("photos/cat.jpg", CAT)
    assert created.status_code == 201, created.text


def decoded(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def test_an_upload_is_answered_with_where_it_is_and_what_it_is(gateway: Gateway) -> None:
    created = gateway.upload("photos/dog.jpg", CAT)
    assert created.status_code == 201
    assert created.headers["Location"] == "/images/photos/dog.jpg"
    assert created.headers["ETag"] == f'"{created.json()["etag"]}"'
    assert created.json()["bytes"] == len(CAT)
    assert created.json()["format"] == "jpg"


def test_an_upload_may_be_multipart(gateway: Gateway) -> None:
    created = gateway.api.post("/images/photos/form.jpg", files={"file": ("x.jpg", CAT, "image/jpeg")})
    assert created.status_code == 201
    original = gateway.api.get("/images/photos/form.jpg", params={"original": "true"})
    assert original.content == CAT


def test_a_taken_name_is_a_conflict_until_replacing_is_asked_for(gateway: Gateway) -> None:
    assert gateway.upload("photos/taken.jpg", CAT).status_code == 201
    conflict = gateway.upload("photos/taken.jpg", CAT)
    assert conflict.status_code == 409
    assert conflict.headers["Content-Type"] == "application/problem+json"
    assert gateway.upload("photos/taken.jpg", CAT, replace="true").status_code == 201


def test_a_derived_image_is_made_once_and_then_served_by_nginx_alone(gateway: Gateway) -> None:
    name = "/images/photos/cat.jpg/@w=300.webp"
    made = gateway.public.get(name)
    assert made.status_code == 200
    assert made.headers["X-Cache"] == "MISS"
    assert made.headers["Content-Type"] == "image/webp"
    assert decoded(made.content).size == (300, 225)
    gateway.stop_service()
    try:
        again = gateway.public.get(name)
    finally:
        gateway.continue_service()
    assert again.headers["X-Cache"] == "HIT-DISK"
    assert again.content == made.content
    assert again.headers["ETag"] == made.headers["ETag"]
    assert again.headers["Last-Modified"] == made.headers["Last-Modified"]


def test_the_disk_holds_a_derived_image_at_its_canonical_name(gateway: Gateway) -> None:
    answered = gateway.public.get("/images/photos/cat.jpg?ysize=60&xsize=080&kind=PNG")
    assert answered.status_code == 200
    assert (gateway.derived / "photos/cat.jpg/@w=80,h=60.png").read_bytes() == answered.content


@pytest.mark.parametrize(
    ("request_path", "size", "kind"),
    [
        ("@w=200,h=200,fit=inside.jpg", (200, 150), "JPEG"),
        ("@w=200,h=200,fit=cover.png", (200, 200), "PNG"),
        ("@w=200,h=100,fit=fill.webp", (200, 100), "WEBP"),
        ("@h=120.jpeg", (160, 120), "JPEG"),
        ("@w=2000.jpg", (640, 480), "JPEG"),
        ("@full.png", (640, 480), "PNG"),
        ("@thumbnail.png", (50, 38), "PNG"),
    ],
)
def test_recipes_give_their_size_and_format(
    gateway: Gateway, request_path: str, size: tuple[int, int], kind: str
) -> None:
    answered = gateway.public.get(f"/images/photos/cat.jpg/{request_path}")
    assert answered.status_code == 200, answered.text
    image = decoded(answered.content)
    assert (image.size, image.format) == (size, kind)


@pytest.mark.parametrize(
    ("query", "size", "kind"),
    [
        ("w=300&format=webp", (300, 225), "WEBP"),
        ("xsize=300&kind=png", (300, 225), "PNG"),
        ("ysize=150&kind=jpg", (150, 113), "JPEG"),
        ("thumbnail=True", (50, 38), "JPEG"),
    ],
)
def test_the_query_form_means_the_same(gateway: Gateway, query: str, size: tuple[int, int], kind: str) -> None:
    answered = gateway.public.get(f"/images/photos/cat.jpg?{query}")
    assert answered.status_code == 200, answered.text
    image = decoded(answered.content)
    assert (image.size, image.format) == (size, kind)


def test_q_decides_the_size_in_bytes(gateway: Gateway) -> None:
    low, high = (gateway.public.get(f"/images/photos/cat.jpg/@w=300,q={q}.jpg").content for q in (10, 95))
    assert len(low) < len(high) / 2


def test_the_bare_name_is_the_whole_image_without_metadata(gateway: Gateway) -> None:
    assert b"Exif" in CAT
    answered = gateway.public.get("/images/photos/cat.jpg")
    assert answered.headers["Content-Type"] == "image/jpeg"
    assert decoded(answered.content).size == (640, 480)
    assert b"Exif" not in answered.content


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_applied(gateway: Gateway, orientation: int) -> None:
    name = f"turned/{orientation}.jpg"
    upright = images.quadrants(160, 96)
    assert gateway.upload(name, images.oriented(orientation, upright=upright)).status_code == 201
    image = decoded(gateway.public.get(f"/images/{name}/@w=80.png").content).convert("RGB")
    assert image.size == (80, 48)
    wanted = Image.fromarray(upright).resize((80, 48))
    for place in ((10, 6), (70, 6), (10, 42), (70, 42)):
        seen, meant = image.getpixel(place), wanted.getpixel(place)
        assert isinstance(seen, tuple)
        assert isinstance(meant, tuple)
        assert all(abs(a - b) < 24 for a, b in zip(seen, meant, strict=True))


def test_validators_and_ranges_are_the_same_on_both_ports(gateway: Gateway) -> None:
    name = "/images/photos/cat.jpg/@w=200.jpg"
    public, api = gateway.public.get(name), gateway.api.get(name)
    assert api.content == public.content
    for header in ("ETag", "Last-Modified", "Content-Type", "Content-Length", "Cache-Control", "Accept-Ranges"):
        assert api.headers[header] == public.headers[header], header
    for client in (gateway.public, gateway.api):
        for condition in (
            {"If-None-Match": public.headers["ETag"]},
            {"If-Modified-Since": public.headers["Last-Modified"]},
        ):
            assert client.get(name, headers=condition).status_code == 304
        part = client.get(name, headers={"Range": "bytes=10-19"})
        assert (part.status_code, part.content) == (206, public.content[10:20])
        assert part.headers["Content-Range"] == f"bytes 10-19/{len(public.content)}"
        assert client.get(name, headers={"Range": "bytes=99999999-"}).status_code == 416
        head = client.head(name)
        assert (head.status_code, head.headers["Content-Length"]) == (200, str(len(public.content)))


def test_dates_in_conditions_mean_the_same_on_both_ports(gateway: Gateway) -> None:
    name = "/images/photos/cat.jpg/@w=200.jpg"
    modified = parsedate_to_datetime(gateway.api.get(name).headers["Last-Modified"])
    for hours, unmodified_since in ((-24, 412), (0, 200), (24, 200)):
        date = format_datetime(modified + timedelta(hours=hours), usegmt=True)
        for client in (gateway.public, gateway.api):
            assert client.get(name, headers={"If-Unmodified-Since": date}).status_code == unmodified_since
            since = client.get(name, headers={"If-Modified-Since": date})
            assert since.status_code == (304 if hours == 0 else 200)


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("nobody.jpg/@w=300.webp", 404, "no such image"),
        ("photos/cat.jpg/@w=0.webp", 400, "w=0: must be a whole number from 1 to 4096"),
        ("photos/cat.jpg/@w=300.xyz", 400, "format xyz"),
        ("photos/cat.jpg/@nope.webp", 400, "no such preset"),
        ("photos/cat.jpg/@thumbnial.webp", 400, "thumbnial: no such preset; did you mean thumbnail?"),
        ("photos/cat.jpg/@w=300.wepb", 400, "did you mean webp?"),
        ("photos/cat.jpg?width=300", 400, "width: no such operation; did you mean w?"),
        ("photos/cat.jpg/@w=300,w=301.webp", 400, "given twice"),
        ("photos/../cat.jpg", 400, "'.' or '..'"),
        ("photos//cat.jpg", 400, "empty segment"),
        ("photos/cat.jpg?wide=3", 400, "wide"),
        ("photos%2Fcat.jpg", 400, "%2F"),
        ("photos/%ff.jpg", 400, "UTF-8"),
        ("photos/%01.jpg", 400, "control character"),
        ("photos/a%0Ab.jpg", 400, "control character"),
    ],
)
def test_what_is_wrong_is_said_alike_on_both_ports(gateway: Gateway, path: str, status: int, words: str) -> None:
    answers = [raw_get(client, f"/images/{path}") for client in (gateway.public, gateway.api)]
    for got, content_type, problem in answers:
        assert got == status
        assert content_type.startswith("application/problem+json")
        assert words in problem["detail"]
        assert problem["status"] == status
        assert problem["type"].startswith("urn:image-gateway:problem:")
    assert answers[0][2] == answers[1][2]


def raw_get(client: httpx.Client, target: str) -> tuple[int, str, dict[str, Any]]:
    """GET a target exactly as it is spelled."""
    import http.client  # noqa: PLC0415
    import json  # noqa: PLC0415

    url = client.base_url
    connection = http.client.HTTPConnection(url.host, url.port, timeout=30)
    try:
        connection.putrequest("GET", target, skip_host=False)
        connection.endheaders()
        response = connection.getresponse()
        return response.status, response.headers["Content-Type"], json.loads(response.read())
    finally:
        connection.close()


@pytest.mark.parametrize("data", [b"hello, this is text", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"%PDF-1.4\n"])
def test_what_is_not_an_image_is_refused_and_nothing_is_stored(gateway: Gateway, data: bytes) -> None:
    refused = gateway.upload("bad/thing.jpg", data)
    assert refused.status_code == 415
    assert refused.headers["Content-Type"].startswith("application/problem+json")
    assert gateway.api.get("/images/bad/thing.jpg?original=true").status_code == 404


def test_a_truncated_image_is_refused(gateway: Gateway) -> None:
    assert gateway.upload("bad/half.jpg", CAT[: len(CAT) // 2]).status_code == 422


def test_the_public_port_takes_nothing_and_lists_nothing(gateway: Gateway) -> None:
    assert gateway.public.post("/images/photos/new.jpg", content=b"x").status_code == 405
    assert gateway.public.delete("/images/photos/cat.jpg").status_code == 405
    assert gateway.public.get("/images/photos/cat.jpg?original=true").status_code == 403
    assert gateway.public.get("/images/photos/cat.jpg?url=true").status_code == 403
    assert gateway.public.get("/images/photos/cat.jpg/@meta.json").status_code == 403
    assert gateway.public.get("/images/").status_code == 400
    assert gateway.public.get("/images").status_code == 404
    for path in ("/", "/@derived/photos/cat.jpg/@w=300.webp", "/photos/cat.jpg/@w=300.webp", "/@problem/400"):
        answered = gateway.public.get(path)
        assert answered.status_code == 404
        assert answered.headers["Content-Type"] == "application/problem+json"
    options = gateway.public.options("/images/photos/cat.jpg")
    assert (options.status_code, options.headers["Allow"]) == (204, "GET, HEAD, OPTIONS")


def test_a_replaced_image_is_seen_at_once_and_a_deleted_one_is_gone(gateway: Gateway) -> None:
    name = "/images/changing.png/@w=10.png"
    for colour in ((255, 0, 0), (0, 255, 0), (0, 0, 255)):
        replaced = gateway.upload("changing.png", images.png(images.flat(20, 20, colour)), replace="true")
        assert replaced.status_code == 201
        for _ in ("made", "hit"):
            assert decoded(gateway.public.get(name).content).convert("RGB").getpixel((5, 5)) == colour
    assert gateway.api.delete("/images/changing.png").status_code == 204
    assert gateway.public.get(name).status_code == 404
    assert not (gateway.derived / "changing.png").exists()


def test_names_of_every_kind_work_on_both_ports(gateway: Gateway) -> None:
    for name in ("Ünïcode/ネコ 猫.jpg", "a b/c?d#e%f.jpg", "quote'\"$&;.jpg", "x" * 300 + "/y.jpg", "no-extension"):
        raw = "".join(f"%{byte:02X}" if byte != ord("/") else "/" for byte in name.encode())
        assert gateway.upload(raw, CAT).status_code in (201, 400), name
        if len(name) < 256:
            sizes = [
                decoded(client.get(f"/images/{raw}/@w=20.png").content).size for client in (gateway.public, gateway.api)
            ]
            assert sizes == [(20, 15), (20, 15)]


def test_a_long_recipe_is_cached_by_its_hash(gateway: Gateway) -> None:
    recipe = "crop=1.11p:2.22p:90.55p:91.66p,w=100,h=90,fit=pad,g=0.123:0.456,rot=123,flip=h,bg=11223344"
    recipe += ",gray=1,equalize=1,normalize=1,negate=1,bri=-12,con=-13,sat=-14,gam=1.25,blur=0.5,sharpen=0.5:0.25:0.125"
    recipe += ",frame=0,q=33,keep=icc"
    leaf = f"@{recipe}.webp".replace(",keep=icc", "")
    answered = gateway.public.get(f"/images/photos/cat.jpg/{leaf}")
    assert answered.status_code == 200, answered.text
    assert gateway.public.get(f"/images/photos/cat.jpg/{leaf}").headers["X-Cache"] == "HIT-DISK"
