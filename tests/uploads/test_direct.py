"""Uploads straight to the store, on either store: nothing is under a name before its bytes are verified."""

from __future__ import annotations

import concurrent.futures
import contextlib
import hashlib
import time
from typing import Any

import httpx
import pytest

from gateway.put_urls import put_url
from service import cli
from service.cli.check import check, servers
from service.observability import logs
from service.runtime.configuration import read_config
from service.runtime.paths import paths_of
from service.store.incoming import new_name
from service.uploads.upload_ids import Announced, write
from tests import images
from tests.swift.stores import client
from tests.uploads.direct import begin, begun, code, send, sent
from tests.uploads.subjects import CAT, DOG, SHOP, Subject
from tests.waiting import until


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
    until(lambda: not subject.is_waiting(upload))
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


def test_an_upload_that_is_finished_several_times_at_once_is_stored_once(subject: Subject) -> None:
    upload, finished = sent(subject.api, "twice/cat.jpg", CAT), subject.count("finished")

    def finish(_: int) -> httpx.Response:
        return httpx.post(f"{subject.api.base_url}".rstrip("/") + upload["finish"], trust_env=False, timeout=60)

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(finish, range(4)))
    assert [answer.status_code for answer in answers] == [201] * 4, [answer.text for answer in answers]
    assert {(answer.headers["ETag"], answer.json()["created"]) for answer in answers} == {
        (answers[0].headers["ETag"], True)
    }
    assert subject.original("twice/cat.jpg").content == CAT
    assert subject.count("finished") == finished + 1


def test_who_finishes_once_more_gets_the_first_answer_as_long_as_it_is_true(subject: Subject) -> None:
    name = "again/cat.jpg"
    upload, repeated = sent(subject.api, name, CAT), subject.count("repeated")
    first, second = (subject.api.post(upload["finish"]) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 201)
    assert second.json() == first.json()
    assert second.headers["ETag"] == first.headers["ETag"]
    assert subject.count("repeated") == repeated + 1

    replacing = sent(subject.api, name, DOG, replace=True)
    first, second = (subject.api.post(replacing["finish"]) for _ in range(2))
    assert second.json() == first.json()
    assert (second.status_code, second.json()["created"]) == (201, False)

    assert code(subject.api.post(upload["finish"])) == (409, "not-arrived")  # the name holds something else now
    assert subject.original(name).content == DOG
    subject.api.delete(f"/images/{name}")
    assert code(subject.api.post(replacing["finish"])) == (409, "not-arrived")


def test_the_same_bytes_of_another_upload_are_no_answer_to_this_one(subject: Subject) -> None:
    name = "same/cat.jpg"
    early = sent(subject.api, name, CAT)
    unsent = begun(subject.api, name, CAT)
    assert subject.gateway.upload(name, CAT).status_code == 201
    assert code(subject.api.post(early["finish"])) == (409, "name-exists")
    assert code(subject.api.post(unsent["finish"])) == (409, "not-arrived")


def test_an_id_is_known_whose_key_another_node_has_set(subject: Subject) -> None:
    begun(subject.api, "other/first.jpg", CAT)  # makes the key
    key, upload = "c0ffee" * 10, new_name(int(time.time()) + 60, len(CAT))
    with subject.other_key(key):
        told = write(Announced("other/cat.jpg", hashlib.sha256(CAT).hexdigest(), upload), key)
        until(lambda: code(subject.api.post(f"/uploads/{told}")) == (409, "not-arrived"))


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
            assert "intake.origins" in refused.json()["detail"]
            assert code(refused) == (403, "cross-site")
        put = browser.put(upload["url"], content=CAT, headers={"Origin": SHOP, **cross, **upload["headers"]})
    assert (put.status_code, put.headers["Access-Control-Allow-Origin"]) == (201, SHOP)
    assert subject.api.post(upload["finish"]).status_code == 201
    refused = subject.api.post("/uploads", json={}, headers={"Origin": SHOP})
    assert code(refused) == (403, "cross-site")
