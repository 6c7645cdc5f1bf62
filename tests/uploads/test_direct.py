"""Uploads straight to the store, on either store: nothing is under a name before its bytes are verified."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import hashlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from swiftclient.exceptions import ClientException

from gateway.put_urls import put_url
from service import cli
from service.api.schema.models import DirectUpload
from service.cli.check import check, servers
from service.client import Conflict, calls, uploading
from service.client import Gateway as GatewayClient
from service.client.local_files import LocalFile
from service.observability import logs
from service.runtime.configuration import read_config
from service.runtime.paths import paths_of
from service.store.incoming import new_name
from service.uploads.upload_ids import Announced, write
from tests import images
from tests.conftest import swift_options
from tests.gateways import Gateway, running_gateway
from tests.swift.server import SwiftServer
from tests.swift.stores import client
from tests.uploads.direct import begin, begun, code, send, sent
from tests.uploads.hooks import moderating

CAT = images.jpeg(images.photo(320, 240), exif=images.exif(1))
DOG = images.png(images.flat(80, 60))
SHOP = "https://shop.example.org"
OPTIONS: dict[str, Any] = {
    "intake": {"lifetime": "10m", "quota": "1MiB", "origins": [SHOP]},
    "limits": {"upload": "700KiB"},
}
INCOMING = "incoming"


@dataclass(frozen=True)
class Subject:
    """A gateway and what its store is; `key` signs temporary URLs and ids."""

    gateway: Gateway
    swift: SwiftServer | None
    container: str = ""

    @property
    def api(self) -> httpx.Client:
        return self.gateway.api

    @property
    def key(self) -> str:
        if self.swift is None:
            return (self.gateway.root / "var/derived/@temp-url-key").read_text().strip()
        with contextlib.closing(client(self.swift.url)) as connection:
            return str(connection.head_container(INCOMING)["x-container-meta-temp-url-key"])

    def waiting(self) -> list[str]:
        """The names in the incoming container."""
        if self.swift is None:
            return sorted(path.name for path in (self.gateway.root / "var/incoming").iterdir())
        with contextlib.closing(client(self.swift.url)) as connection:
            return [row["name"] for row in connection.get_container(INCOMING)[1]]

    def is_waiting(self, upload: dict[str, Any]) -> bool:
        """Whether what was sent is still in the incoming container. A listing would lag."""
        name = upload["url"].partition("?")[0].rpartition("/")[2]
        if self.swift is None:
            return Path(self.gateway.root, "var/incoming", name).exists()
        with contextlib.closing(client(self.swift.url)) as connection:
            try:
                connection.head_object(INCOMING, name)
            except ClientException as error:
                return bool(error.http_status != 404)
        return True

    @contextlib.contextmanager
    def quota(self, size: str) -> Iterator[None]:
        """Another quota of the incoming container, for a while."""
        assert self.swift
        with contextlib.closing(client(self.swift.url)) as connection:
            former = connection.head_container(INCOMING)["x-container-meta-quota-bytes"]
            connection.post_container(INCOMING, {"X-Container-Meta-Quota-Bytes": size})
            yield
            connection.post_container(INCOMING, {"X-Container-Meta-Quota-Bytes": former})

    def clear(self) -> None:
        if self.swift is None:
            for name in self.waiting():
                (self.gateway.root / "var/incoming" / name).unlink()
            return
        with contextlib.closing(client(self.swift.url)) as connection:
            for name in self.waiting():
                with contextlib.suppress(ClientException):  # a listing lags
                    connection.delete_object(INCOMING, name)

    def count(self, outcome: str) -> float:
        """How many direct uploads ended so."""
        lines = self.api.get("/metrics").text.splitlines()
        line = next(line for line in lines if f'direct_uploads_total{{outcome="{outcome}"}}' in line)
        return float(line.rpartition(" ")[2])

    def original(self, name: str) -> httpx.Response:
        return self.api.get(f"/images/{name}", params={"original": "true"})


@pytest.fixture(scope="module", params=["directory", "swift"])
def subject(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Subject]:
    options, server, container = dict(OPTIONS), None, ""
    if request.param == "swift":
        server = request.getfixturevalue("swift")
        options |= swift_options(server)
        options["store"]["swift"]["incoming_container"] = INCOMING
        container = options["store"]["swift"]["container"]
    with running_gateway(tmp_path_factory.mktemp("direct"), options) as running:
        yield Subject(running, server, container)


def test_an_upload_goes_straight_to_the_store_and_is_there_once_it_is_finished(subject: Subject) -> None:
    upload = begun(subject.api, "straight/ä cat.jpg", CAT)
    assert upload["expires"] == pytest.approx(time.time() + 600, abs=120)
    assert send(upload, CAT, content_type="text/html", x_object_meta_foreign="1").status_code == 201
    assert subject.original("straight/ä cat.jpg").status_code == 404

    finished = subject.api.post(upload["finish"])
    assert finished.status_code == 201, finished.text
    told = finished.json()
    assert (told["name"], told["bytes"], told["format"]) == ("straight/ä cat.jpg", len(CAT), "jpg")
    assert (told["created"], told["content_type"]) == (True, "image/jpeg")
    assert told["sha256"] == hashlib.sha256(CAT).hexdigest()
    assert told["md5"] == hashlib.md5(CAT).hexdigest()
    assert (told["metadata"]["width"], told["metadata"]["height"]) == (320, 240)
    assert finished.headers["ETag"] == f'"{told["etag"]}"'
    assert finished.headers["Location"] == told["links"]["self"]

    found = subject.original("straight/ä cat.jpg")
    assert (found.content, found.headers["Content-Type"]) == (CAT, "image/jpeg")
    assert not subject.is_waiting(upload)
    if subject.swift:
        with contextlib.closing(client(subject.swift.url)) as connection:
            headers = connection.head_object(subject.container, "straight/ä cat.jpg")
        assert headers["content-type"] == "image/jpeg"
        assert headers["x-object-meta-sha256"] == told["sha256"]
        assert not {"x-delete-at", "x-object-meta-foreign"} & set(headers)


def test_the_answer_is_that_of_an_ordinary_upload(subject: Subject) -> None:
    upload = sent(subject.api, "alike/direct.jpg", CAT)
    direct = subject.api.post(upload["finish"]).json()
    ordinary = subject.gateway.upload("alike/direct.jpg", CAT, replace="true").json()
    differing = ("etag", "url", "links", "created", "metadata")
    assert {key: direct[key] for key in direct if key not in differing} == {
        key: ordinary[key] for key in ordinary if key not in differing
    }
    assert direct["metadata"] == ordinary["metadata"]


def test_what_is_sent_must_be_what_was_announced_and_may_be_sent_again(subject: Subject) -> None:
    name = "wrong/cat.jpg"
    upload = begun(subject.api, name, CAT)
    assert code(subject.api.post(upload["finish"])) == (409, "not-arrived")

    longer = send(upload, CAT + b"x")
    if subject.swift:  # which takes any size; the gateway looks at it
        assert longer.status_code == 201
        assert code(subject.api.post(upload["finish"])) == (400, "size-mismatch")
    else:
        assert code(longer) == (400, "size-mismatch")
    other = bytes(len(CAT))
    assert send(upload, other).status_code == 201
    refused = subject.api.post(upload["finish"])
    assert code(refused) == (400, "digest-mismatch")
    assert hashlib.sha256(other).hexdigest() in refused.json()["detail"]
    assert subject.original(name).status_code == 404

    assert send(upload, CAT).status_code == 201
    assert subject.api.post(upload["finish"]).status_code == 201
    assert subject.original(name).content == CAT


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"no image at all" * 10, (415, "not-an-image")),
        (CAT[: len(CAT) // 2], (422, "undecodable")),
    ],
)
def test_what_no_upload_may_be_is_not_stored_in_this_way_either(
    subject: Subject, data: bytes, expected: tuple[int, str]
) -> None:
    upload = sent(subject.api, "bad/file.jpg", data)
    assert code(subject.api.post(upload["finish"])) == expected
    assert subject.original("bad/file.jpg").status_code == 404


def test_the_preconditions_of_a_name_hold_when_it_begins_and_when_it_is_finished(subject: Subject) -> None:
    name = "taken/cat.jpg"
    early = sent(subject.api, name, CAT)
    etag = subject.gateway.upload(name, DOG).json()["etag"]

    assert code(begin(subject.api, name, CAT)) == (409, "name-exists")
    assert code(subject.api.post(early["finish"])) == (409, "name-exists")
    assert code(subject.api.post(early["finish"], headers={"If-Match": '"another"'})) == (412, "precondition-failed")
    assert subject.original(name).content == DOG
    assert subject.api.get(f"/images/{name}/@w=8.png").status_code == 200

    finished = subject.api.post(early["finish"], headers={"If-Match": f'"{etag}"'})
    assert (finished.status_code, finished.json()["created"]) == (201, False)
    assert subject.original(name).content == CAT
    assert images.pixels(subject.api.get(f"/images/{name}/@w=8.png").content).shape[:2] == (6, 8)
    replacing = sent(subject.api, name, DOG, replace=True)
    assert subject.api.post(replacing["finish"]).status_code == 201
    asked = sent(subject.api, name, CAT, replace=True)
    assert subject.api.post(asked["finish"], params={"replace": "true"}).status_code == 201


def test_an_upload_that_is_finished_twice_is_stored_once(subject: Subject) -> None:
    upload = sent(subject.api, "twice/cat.jpg", CAT)

    def finish(_: int) -> httpx.Response:
        return httpx.post(f"{subject.api.base_url}".rstrip("/") + upload["finish"], trust_env=False, timeout=60)

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(finish, range(4)))
    assert [answer.status_code for answer in answers].count(201) == 1, [answer.text for answer in answers]
    assert {code(answer) for answer in answers if answer.status_code != 201} <= {
        (409, "name-exists"),
        (409, "not-arrived"),
    }
    assert subject.original("twice/cat.jpg").content == CAT


def test_an_id_is_good_for_its_own_name_and_as_it_was_given(subject: Subject) -> None:
    upload = sent(subject.api, "own/cat.jpg", CAT)
    text, _, signature = upload["id"].partition(".")
    other = begun(subject.api, "own/other.jpg", CAT)["id"].partition(".")[0]
    forged = write(Announced("own/x.jpg", "0" * 64, new_name(int(time.time()) + 60, 5)), "a guess")
    for wrong in (f"{other}.{signature}", f"{text}.{signature[:-2]}AA", text, "x", "a.b", forged, "%00.x"):
        assert code(subject.api.post(f"/uploads/{wrong}")) == (404, "no-such-upload"), wrong


def test_an_upload_ends_with_its_url(subject: Subject) -> None:
    begun(subject.api, "late/first.jpg", CAT)  # makes the key
    over = new_name(int(time.time()) - 5, len(CAT))
    late = write(Announced("late/cat.jpg", hashlib.sha256(CAT).hexdigest(), over), subject.key)
    answer = subject.api.post(f"/uploads/{late}")
    assert code(answer) == (410, "upload-expired")
    assert "POST /uploads" in answer.json()["detail"]
    if not subject.swift:
        url = put_url(over, int(time.time()) - 5, subject.key, "sha256")
        assert code(subject.api.put(url, content=CAT)) == (410, "upload-expired")


def test_what_waits_to_be_finished_has_a_quota(subject: Subject) -> None:
    large = bytes(600 * 1024)
    first, second = (begun(subject.api, f"quota/{number}.jpg", large) for number in range(2))
    if subject.swift:  # whose counters lag, but not what it knows of one request
        assert send(first, bytes(1024 * 1024 + 1)).status_code == 413
        assert send(first, large).status_code == 201
        with subject.quota("1"):
            refused = subject.api.post(first["finish"])  # the copy has no room
    else:
        assert send(first, large).status_code == 201
        assert send(first, large).status_code == 201  # in its own place
        refused = send(second, large)
    assert code(refused) == (507, "incoming-full")
    assert "intake.quota" in refused.json()["detail"]
    subject.clear()


@pytest.mark.parametrize(
    ("body", "hint"),
    [
        ({"bytes": 5, "sha256": "0" * 64}, "name"),
        ({"name": "a.jpg", "bytes": 0, "sha256": "0" * 64}, "bytes"),
        ({"name": "a.jpg", "bytes": 5, "sha256": "no"}, "sha256"),
        ({"name": "a.jpg", "bytes": 5, "sha256": "0" * 64, "md5": "x"}, "md5"),
        ({"name": "../a.jpg", "bytes": 5, "sha256": "0" * 64}, ""),
    ],
)
def test_an_announcement_that_means_nothing_is_refused(subject: Subject, body: dict[str, Any], hint: str) -> None:
    answer = subject.api.post("/uploads", json=body)
    assert code(answer) == (400, "malformed")
    assert hint in answer.json()["detail"]


def test_more_bytes_than_the_limit_are_refused_before_they_are_sent(subject: Subject) -> None:
    answer = subject.api.post("/uploads", json={"name": "a.jpg", "bytes": 700 * 1024 + 1, "sha256": "0" * 64})
    assert code(answer) == (413, "too-large")
    assert str(700 * 1024) in answer.json()["detail"]


def test_each_step_is_counted_and_audited(subject: Subject) -> None:
    upload = sent(subject.api, "counted/cat.jpg", CAT)
    subject.api.post(upload["finish"])
    assert subject.count("begun") >= subject.count("finished") >= 1
    assert subject.count("failed") >= 0
    for what in ("begin upload", "upload"):
        assert f'what="{what}" name="counted/cat.jpg" result="done"' in subject.gateway.log


def test_a_page_of_a_configured_origin_may_send_and_no_other(
    subject: Subject, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    upload = begun(subject.api, "page/cat.jpg", CAT)
    preflight = {"Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "x-delete-at,content-type"}
    config, _ = read_config(subject.gateway.root / "config.yaml")
    found = [finding for finding in servers.store(config, paths_of(config)) if finding.where == "intake.origins"]
    assert [("check --fix" in one.text, SHOP in one.text, one.wrong) for one in found] == (
        [(True, True, True)] if subject.swift else []
    )
    monkeypatch.setattr(check, "CHECKS", (servers.store,))  # the others take long
    monkeypatch.setattr(logs, "configure", lambda _: None)
    assert cli.main(["check", "--fix", "-c", str(subject.gateway.root / "config.yaml")]) == 0
    said = capsys.readouterr().out
    assert ("intake.origins" in said and "set now" in said) == bool(subject.swift)
    assert "wrong" not in said
    with httpx.Client(trust_env=False, timeout=60) as browser:
        asked = browser.options(upload["url"], headers={"Origin": SHOP, **preflight})
        assert asked.status_code in (200, 204), asked.text
        assert asked.headers["Access-Control-Allow-Origin"] == SHOP
        assert "PUT" in asked.headers["Access-Control-Allow-Methods"]
        assert "x-delete-at" in asked.headers["Access-Control-Allow-Headers"]
        other = browser.options(upload["url"], headers={"Origin": "https://else.example.org", **preflight})
        assert other.headers.get("Access-Control-Allow-Origin") is None
        cross = {"Sec-Fetch-Site": "cross-site"}
        if not subject.swift:
            refused = browser.put(upload["url"], content=CAT, headers={"Origin": "https://else.example.org", **cross})
            assert code(refused) == (403, "cross-site")
        put = browser.put(upload["url"], content=CAT, headers={"Origin": SHOP, **cross, **upload["headers"]})
    assert (put.status_code, put.headers["Access-Control-Allow-Origin"]) == (201, SHOP)
    assert subject.api.post(upload["finish"]).status_code == 201
    refused = subject.api.post("/uploads", json={}, headers={"Origin": SHOP})
    assert code(refused) == (403, "cross-site")


def test_the_client_sends_straight_to_the_store(subject: Subject, tmp_path: Path) -> None:
    file = tmp_path / "cat.jpg"
    file.write_bytes(CAT)
    with GatewayClient(str(subject.api.base_url)) as gateway:
        stored = gateway.upload_direct("client/cat.jpg", file)
        assert (stored.name, stored.sha256) == ("client/cat.jpg", hashlib.sha256(CAT).hexdigest())
        with pytest.raises(Conflict):
            gateway.upload_direct("client/cat.jpg", file)
        file.write_bytes(DOG)
        assert gateway.upload_direct("client/cat.jpg", file, replace=True).created is False
    assert subject.original("client/cat.jpg").content == DOG


@pytest.mark.parametrize("direct", [True, False])
def test_the_command_sends_large_files_straight_to_the_store_with_progress(
    subject: Subject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, direct: bool
) -> None:
    monkeypatch.setattr(uploading, "DIRECT_FROM", len(CAT))
    before = subject.count("begun"), subject.count("finished")
    for name, data in (("large.jpg", CAT), ("small.png", DOG)):
        (tmp_path / name).write_bytes(data)
    files = [LocalFile(tmp_path / name, f"command-{direct}/{name}", size) for name, size in sizes(tmp_path)]
    reported: list[int] = []
    work = uploading.Uploading(str(subject.api.base_url), None, replace=False, report=reported.append, direct=direct)
    asyncio.run(work.run(files, 2))
    assert (sorted(work.stored), work.failed) == (sorted(file.name for file in files), [])
    assert sum(reported) == sum(file.bytes for file in files)
    assert (subject.count("begun"), subject.count("finished")) == (before[0] + direct, before[1] + direct)
    assert subject.original(f"command-{direct}/large.jpg").content == CAT


def sizes(folder: Path) -> list[tuple[str, int]]:
    return [(path.name, path.stat().st_size) for path in sorted(folder.iterdir())]


def test_the_token_stays_with_the_gateway() -> None:
    with moderating() as other, GatewayClient("http://127.0.0.1:1", "a secret") as gateway:
        upload = DirectUpload(
            id="x", method="POST", url=other.url, headers={"X-Delete-At": "5"}, expires=5, finish="/uploads/x"
        )
        gateway.call(calls.send(upload, CAT))
        headers, body = other.posted[0]
    assert (body, headers["x-delete-at"]) == (CAT, "5")
    assert "authorization" not in headers
