"""The hook of uploads: a service that sees every upload before it is stored, and may refuse it."""

from __future__ import annotations

import base64
import hashlib
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image
from standardwebhooks import Webhook

from gateway.config import ConfigError, load
from tests import images
from tests.gateways import Gateway, running_gateway
from tests.uploads.direct import code, sent
from tests.uploads.hooks import SECRET, Moderator, moderating

CAT = images.jpeg(images.photo(640, 480), exif=images.exif(6))
WAYS = ("raw", "form", "folder", "direct")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Gateway, Moderator]]:
    with moderating() as moderator:
        hook = {"url": moderator.url, "secret": SECRET, "timeout": "2s"}
        with running_gateway(tmp_path_factory.mktemp("hook"), {"intake": {"hook": hook}}) as gateway:
            yield gateway, moderator


@pytest.fixture
def gateway(running: tuple[Gateway, Moderator]) -> Gateway:
    return running[0]


@pytest.fixture
def moderator(running: tuple[Gateway, Moderator]) -> Moderator:
    running[1].answer = (204, b"")
    running[1].posted.clear()
    return running[1]


def upload(gateway: Gateway, way: str, name: str, data: bytes = CAT) -> httpx.Response:
    folder, _, leaf = name.rpartition("/")
    if way == "direct":
        return gateway.api.post(sent(gateway.api, name, data)["finish"])
    if way == "raw":
        return gateway.api.put(f"/images/{name}", content=data)
    path = f"/images/{folder}/" if way == "folder" else f"/images/{name}"
    return gateway.api.post(path, files={"file": (leaf, data)})


@pytest.mark.parametrize("way", WAYS)
def test_an_upload_is_shown_to_the_hook_before_it_is_stored(gateway: Gateway, moderator: Moderator, way: str) -> None:
    moderator.says(accept=True)
    answer = upload(gateway, way, f"shown/{way}.jpg")
    assert answer.status_code == 201, answer.text

    headers, body = moderator.posted[-1]
    Webhook(SECRET).verify(body, dict(headers))  # by the specification's own library, which raises
    assert headers["content-type"] == "application/json"
    told = moderator.last
    assert told["type"] == "image.upload"
    data = told["data"]
    assert (data["name"], data["bytes"], data["content_type"]) == (f"shown/{way}.jpg", len(CAT), "image/jpeg")
    assert data["sha256"] == hashlib.sha256(CAT).hexdigest()
    assert data["metadata"] == answer.json()["metadata"]
    preview = base64.b64decode(data["preview"]["base64"])
    with Image.open(io.BytesIO(preview)) as image:
        assert (image.format, image.size, len(image.getexif())) == ("JPEG", (192, 256), 0)  # upright by EXIF's 6
    assert len({headers["webhook-id"] for headers, _ in moderator.posted}) == len(moderator.posted) == 1


@pytest.mark.parametrize("way", WAYS)
def test_what_the_hook_refuses_is_not_stored_and_the_client_gets_the_reason(
    gateway: Gateway, moderator: Moderator, way: str
) -> None:
    moderator.says(accept=False, reason="a \n face of \u202esomebody")
    answer = upload(gateway, way, f"refused/{way}.jpg")
    assert code(answer) == (422, "refused-by-hook")
    assert answer.json()["detail"] == "the upload is refused: a face of _somebody"
    assert gateway.api.get(f"/images/refused/{way}.jpg").status_code == 404


def test_of_several_files_each_has_its_own_answer_of_the_hook(gateway: Gateway, moderator: Moderator) -> None:
    moderator.says(accept=False, reason="no")
    files = [("file", (name, CAT)) for name in ("a.jpg", "b.jpg")]
    answer = gateway.api.post("/images/several/", files=files)
    assert answer.status_code == 207
    assert [one["problem"]["type"].rpartition(":")[2] for one in answer.json()] == ["refused-by-hook"] * 2


def test_a_former_image_stays_where_its_replacement_is_refused(gateway: Gateway, moderator: Moderator) -> None:
    assert upload(gateway, "raw", "stays/cat.jpg").status_code == 201
    moderator.says(accept=False)
    refused = gateway.upload("stays/cat.jpg", images.png(images.flat(8, 8)), replace="true")
    assert code(refused) == (422, "refused-by-hook")
    assert "no reason is given" in refused.json()["detail"]
    assert gateway.api.get("/images/stays/cat.jpg", params={"original": "true"}).content == CAT


def test_what_is_no_image_is_refused_without_the_hook(gateway: Gateway, moderator: Moderator) -> None:
    assert code(upload(gateway, "raw", "none/cat.jpg", b"text")) == (415, "not-an-image")
    assert code(upload(gateway, "raw", "none/cat.jpg", CAT[:-2000])) == (422, "undecodable")
    assert moderator.posted == []


def test_an_animation_is_shown_by_its_first_frame(gateway: Gateway, moderator: Moderator) -> None:
    frames = [Image.new("RGB", (32, 16), colour) for colour in ((200, 0, 0), (0, 0, 200))]
    file = io.BytesIO()
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:])
    assert upload(gateway, "raw", "moving/a.gif", file.getvalue()).status_code == 201
    with Image.open(io.BytesIO(base64.b64decode(moderator.last["data"]["preview"]["base64"]))) as image:
        red, green, blue = image.convert("RGB").getpixel((16, 8))  # type: ignore[misc]
    assert (red > 150, green < 60, blue < 60) == (True, True, True)


ANSWERS: dict[str, tuple[int, bytes] | None] = {
    "an error": (500, b"{}"),
    "a redirect": (307, b""),
    "no JSON": (200, b"yes"),
    "JSON without a decision": (200, b'{"ok": true}'),
    "more than it may be": (200, json.dumps({"accept": True, "more": "x" * 70000}).encode()),
    "silence": None,
}


@pytest.mark.parametrize("answer", ANSWERS)
def test_without_an_answer_of_the_hook_nothing_is_stored(gateway: Gateway, moderator: Moderator, answer: str) -> None:
    moderator.answer = ANSWERS[answer]
    failed = upload(gateway, "raw", "failed/cat.jpg")
    assert code(failed) == (503, "hook-failed")
    assert int(failed.headers["Retry-After"]) > 0
    assert len(moderator.posted) == 1
    assert "intake.hook gives no answer about failed/cat.jpg" in gateway.log
    assert moderator.url not in failed.text
    assert gateway.api.get("/images/failed/cat.jpg").status_code == 404


def test_what_the_hook_said_is_counted(gateway: Gateway, moderator: Moderator) -> None:
    upload(gateway, "raw", "counted/cat.jpg")
    counts = {}
    for line in gateway.api.get("/metrics").text.splitlines():
        if line.startswith("image_gateway_intake_hook_total"):
            counts[line.split('"')[1]] = float(line.rpartition(" ")[2])
    assert set(counts) == {"accepted", "refused", "failed"}
    assert counts["accepted"] >= 1


def test_where_the_configuration_says_so_uploads_are_accepted_without_the_hook(tmp_path: Path) -> None:
    with moderating() as moderator:
        hook = {"url": moderator.url, "on_failure": "accept"}
        with running_gateway(tmp_path, {"intake": {"hook": hook}}) as gateway:
            moderator.answer = (500, b"")
            assert upload(gateway, "raw", "cat.jpg").status_code == 201
            assert "webhook-signature" not in moderator.posted[-1][0]
            assert "gives no answer about cat.jpg" in gateway.log
            moderator.says(accept=False, reason="no")
            assert code(upload(gateway, "raw", "dog.jpg")) == (422, "refused-by-hook")


@pytest.mark.parametrize(
    ("hook", "said"),
    [
        ({"url": "ftp://x"}, "http or https URL"),
        ({"url": "https://u:p@x/"}, "http or https URL"),
        ({"secret": "sixteen-bytes-long"}, "whsec_ and 24 to 64 bytes in base64"),
        ({"timeout": "0s"}, "more than 0"),
        ({"on_failure": "ask"}, "accept"),
    ],
)
def test_a_hook_that_is_configured_wrongly_stops_the_start(hook: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError) as refused:
        load(json.dumps({"intake": {"hook": hook}}), file="c", base=Path("/"), environ={}, read_file=Path.read_text)
    assert said in str(refused.value.mistakes[0])
    assert "sixteen" not in str(refused.value)
