"""Uploads: how they come in, what is verified, what is answered, and what is never stored."""

from __future__ import annotations

import base64
import hashlib
import os
from typing import Any

import httpx
import pytest

from tests import images
from tests.api import raw
from tests.gateways import Gateway
from tests.waiting import until


def original(gateway: Gateway, name: str) -> httpx.Response:
    return gateway.api.get(f"/images/{name}", params={"original": "true"})


@pytest.mark.parametrize("method", ["PUT", "POST"])
@pytest.mark.parametrize("form", ["raw", "multipart", "chunked"])
def test_an_image_comes_in_as_it_is_by_every_form(
    shared: Gateway, folder: str, cat: bytes, method: str, form: str
) -> None:
    name = f"{folder}/{method}-{form}.jpg"
    bodies: dict[str, dict[str, Any]] = {
        "raw": {"content": cat},
        "multipart": {"files": {"file": ("elsewhere.jpg", cat, "image/jpeg")}, "data": {"note": "a field"}},
        "chunked": {"content": iter([cat[:1000], cat[1000:]])},
    }
    created = shared.api.request(method, f"/images/{name}", **bodies[form])
    assert created.status_code == 201, created.text
    assert created.headers["Location"] == f"/images/{name}"
    assert original(shared, name).content == cat


def test_the_answer_tells_what_was_stored_and_where_to_find_it(shared: Gateway, folder: str, cat: bytes) -> None:
    created = shared.api.put(f"/images/{folder}/ä%20cat.jpg", content=cat)
    told = created.json()
    assert told["name"] == f"{folder}/ä cat.jpg"
    assert (told["bytes"], told["format"], told["content_type"]) == (len(cat), "jpg", "image/jpeg")
    assert told["md5"] == hashlib.md5(cat).hexdigest()
    assert told["sha256"] == hashlib.sha256(cat).hexdigest()
    assert (told["metadata"]["width"], told["metadata"]["height"]) == (320, 240)
    assert told["created"] is True
    assert created.headers["ETag"] == f'"{told["etag"]}"'
    assert shared.api.get(told["links"]["self"]).status_code == 200
    public = shared.public.get(told["links"]["public"])
    assert (public.status_code, "immutable" in public.headers["Cache-Control"]) == (200, True)
    assert set(told["links"]["presets"]) == {"thumbnail", "wide"}
    small = shared.public.get(told["links"]["presets"]["thumbnail"])
    assert images.pixels(small.content).shape == (38, 50, 3)


def test_a_folder_takes_the_name_from_the_file(shared: Gateway, folder: str, cat: bytes) -> None:
    for filename in ("a.jpg", "C:\\pictures\\b.jpg", "../up/c.jpg"):
        created = shared.api.post(f"/images/{folder}/", files={"file": (filename, cat)})
        assert created.status_code == 201, created.text
    disposition = {"Content-Disposition": "attachment; filename*=UTF-8''d%C3%A4.jpg"}
    assert shared.api.post(f"/images/{folder}/", content=cat, headers=disposition).status_code == 201
    listed = shared.api.get("/images", params={"prefix": f"{folder}/"}).json()["images"]
    assert [one["name"].removeprefix(f"{folder}/") for one in listed] == ["a.jpg", "b.jpg", "c.jpg", "dä.jpg"]
    assert shared.api.post(f"/images/{folder}/", content=cat).status_code == 400


def test_several_files_have_one_result_each(shared: Gateway, folder: str, cat: bytes, dog: bytes) -> None:
    files = [
        ("file", ("cat.jpg", cat)),
        ("file", ("text.jpg", b"no image")),
        ("file", ("@bad.jpg", cat)),
        ("file", ("dog.png", dog)),
    ]
    answered = shared.api.post(f"/images/{folder}/", files=[files[0], files[1], files[3]])
    assert answered.status_code == 207
    results = answered.json()
    assert [one["status"] for one in results] == [201, 415, 201]
    assert results[0]["image"]["name"] == f"{folder}/cat.jpg"
    assert results[1]["problem"]["type"].endswith(":not-an-image")
    assert original(shared, f"{folder}/dog.png").content == dog
    again = shared.api.post(f"/images/{folder}/", files=[files[0], files[3]], params={"replace": "true"})
    assert (again.status_code, len(again.json())) == (201, 2)
    assert shared.api.post(f"/images/{folder}/", files=[files[2]]).status_code == 400
    mixed = shared.api.post(f"/images/{folder}/mixed/", files=files[2:]).json()
    assert [(one["name"], one["status"]) for one in mixed] == [
        (f"{folder}/mixed/@bad.jpg", 400),
        (f"{folder}/mixed/dog.png", 201),
    ]


def test_several_files_for_one_name_store_nothing(shared: Gateway, folder: str, cat: bytes, dog: bytes) -> None:
    files = [("file", ("cat.jpg", cat)), ("file", ("dog.png", dog))]
    assert shared.api.post(f"/images/{folder}/one.jpg", files=files).status_code == 400
    assert original(shared, f"{folder}/one.jpg").status_code == 404


@pytest.mark.parametrize(
    ("header", "algorithm", "form"),
    [
        ("Content-MD5", "md5", "{}"),
        ("Digest", "sha256", "SHA-256={}"),
        ("Digest", "md5", "md5={}, unixsum=30637"),
        ("Content-Digest", "sha256", "sha-256=:{}:"),
        ("Content-Digest", "sha512", "sha-512=:{}:"),
        ("Repr-Digest", "sha512", "unknown=:AA==:, sha-512=:{}:"),
    ],
)
def test_digests_are_verified_before_anything_is_stored(
    shared: Gateway, folder: str, cat: bytes, header: str, algorithm: str, form: str
) -> None:
    right, wrong = (base64.b64encode(hashlib.new(algorithm, data).digest()).decode() for data in (cat, b"other"))
    name = f"{folder}/cat.jpg"
    for files in (None, {"file": ("cat.jpg", cat)}):
        body = {"files": files} if files else {"content": cat}
        spoilt = shared.api.post(f"/images/{name}", headers={header: form.format(wrong)}, **body)
        assert spoilt.status_code == 400
        assert spoilt.json()["type"].endswith(":digest-mismatch")
        assert original(shared, name).status_code == 404
    malformed = shared.api.put(f"/images/{name}", headers={header: form.format("AA")}, content=cat)
    assert malformed.status_code == 400
    whole = shared.api.put(f"/images/{name}", headers={header: form.format(right)}, content=cat)
    assert whole.status_code == 201
    digest = base64.b64encode(hashlib.sha256(cat).digest()).decode()
    assert original(shared, name).headers["Repr-Digest"] == f"sha-256=:{digest}:"


@pytest.mark.parametrize("header", ["Content-MD5", "content-md5", "CONTENT-MD5"])
@pytest.mark.parametrize("path", ["{}/cat.jpg", "{}/"], ids=["one file", "a folder"])
def test_a_digest_of_a_form_part_counts_however_its_header_is_spelled_and_before_the_requests(
    shared: Gateway, folder: str, cat: bytes, header: str, path: str
) -> None:
    right, wrong = (base64.b64encode(hashlib.md5(data).digest()).decode() for data in (cat, b"other"))
    url = f"/images/{path.format(folder)}"
    for of_part, of_request, status in ((wrong, right, 400), (right, wrong, 201)):
        part = ("cat.jpg", cat, "image/jpeg", {header: of_part})
        answered = shared.api.post(url, files={"file": part}, headers={"content-MD5": of_request})
        assert answered.status_code == status, answered.text
        assert original(shared, f"{folder}/cat.jpg").status_code == (404 if status == 400 else 200)


def test_a_body_that_is_announced_too_long_is_refused_before_it_is_sent(shared: Gateway, folder: str) -> None:
    with raw.connection(shared) as opened:
        request = raw.head("PUT", f"/images/{folder}/x.jpg", Content_Length=3 * 2**20, Expect="100-continue")
        opened.sendall(request)
        assert raw.answer_head(opened).startswith("HTTP/1.1 413 ")


def test_a_body_that_grows_too_long_is_refused_on_the_way(shared: Gateway, folder: str) -> None:
    refused = shared.api.put(f"/images/{folder}/x.jpg", content=iter([os.urandom(2**20)] * 3))
    assert refused.status_code == 413
    several = shared.api.post(f"/images/{folder}/", files={"file": ("x.jpg", os.urandom(2**21 + 1))})
    assert several.status_code == 413
    until(lambda: not list((shared.root / "var/cache/work").iterdir()))


def test_nobody_is_told_to_go_on_for_nothing(shared: Gateway, folder: str, cat: bytes) -> None:
    assert shared.upload(f"{folder}/taken.jpg", cat).status_code == 201
    with raw.connection(shared) as opened:
        opened.sendall(raw.head("PUT", f"/images/{folder}/taken.jpg", Content_Length=len(cat), Expect="100-continue"))
        assert raw.answer_head(opened).startswith("HTTP/1.1 409 ")
    with raw.connection(shared) as opened:
        opened.sendall(raw.head("PUT", f"/images/{folder}/free.jpg", Content_Length=len(cat), Expect="100-continue"))
        assert raw.answer_head(opened) == "HTTP/1.1 100 Continue\r\n\r\n"
        opened.sendall(cat)
        assert raw.answer_head(opened).startswith("HTTP/1.1 201 ")
    with raw.connection(shared) as opened:
        opened.sendall(raw.head("PUT", f"/images/{folder}/other.jpg", Content_Length=1, Expect="more"))
        assert raw.answer_head(opened).startswith("HTTP/1.1 417 ")


def test_preconditions_guard_a_name(shared: Gateway, folder: str, cat: bytes, dog: bytes) -> None:
    path = f"/images/{folder}/guarded.jpg"

    def put(data: bytes, **headers: str) -> int:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return shared.api.put(path, content=data, headers=named).status_code

    assert put(cat, If_Match="*") == 412
    assert put(cat, If_None_Match="*") == 201
    assert put(dog, If_None_Match="*") == 412
    assert put(dog) == 409
    first = shared.api.head(path, params={"original": "true"}).headers["ETag"]
    assert put(dog, If_None_Match=first) == 412
    assert put(dog, If_Match='"other"') == 412
    assert put(dog, If_Match=f"W/{first}") == 412
    assert put(dog, If_Match="unquoted") == 400
    assert put(dog, If_Match=f'"other", {first}') == 201
    assert shared.api.get(path, params={"original": "true"}).content == dog
    refused = shared.api.delete(path, headers={"If-Match": first})
    assert (refused.status_code, refused.json()["detail"]) == (412, "the image is not the one that If-Match names")
    refused = shared.api.put(path, content=cat, headers={"If-None-Match": "*"})
    assert (refused.status_code, "If-None-Match" in refused.json()["detail"]) == (412, True)
    second = shared.api.head(path, params={"original": "true"}).headers["ETag"]
    assert shared.api.delete(path, headers={"If-Match": second}).status_code == 204
    assert shared.api.delete(path).status_code == 404


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content-Encoding": "gzip"}, 415),
        ({"Content-Range": "bytes 0-9/100"}, 400),
        ({"Content-Type": "multipart/form-data"}, 400),
        ({"Content-Type": "multipart/form-data; boundary=x"}, 400),
    ],
)
def test_bodies_that_are_not_the_image_are_refused(
    shared: Gateway, folder: str, cat: bytes, headers: dict[str, str], status: int
) -> None:
    assert shared.api.put(f"/images/{folder}/x.jpg", content=cat, headers=headers).status_code == status
    assert original(shared, f"{folder}/x.jpg").status_code == 404


@pytest.mark.parametrize("path", ["", "x.jpg"])
def test_a_form_that_breaks_off_stores_nothing(shared: Gateway, folder: str, cat: bytes, path: str) -> None:
    part = b'--x\r\nContent-Disposition: form-data; name="file"; filename="y.jpg"\r\n\r\n' + cat
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    for end in (b"", b"\r\n", b"\r\n--"):
        broken = shared.api.post(f"/images/{folder}/{path}", content=part + end, headers=headers)
        assert broken.status_code == 400, (end, broken.text)
    assert shared.api.get("/images", params={"prefix": f"{folder}/"}).json()["images"] == []


@pytest.mark.parametrize("path", ["", "x.jpg"])
@pytest.mark.parametrize("size", [100, 100_000])
def test_a_file_under_another_name_than_file_is_told_so(shared: Gateway, folder: str, path: str, size: int) -> None:
    data = os.urandom(size)
    for files in ([("image", ("y.jpg", data))], [("file", ("y.jpg", data)), ("image", ("z.jpg", data))]):
        refused = shared.api.post(f"/images/{folder}/{path}", files=files)
        assert refused.status_code == 400
        assert refused.json()["detail"] == "the file is in the field image; it must be in file"


def test_what_is_not_accepted_is_told_with_what_is(shared: Gateway, folder: str) -> None:
    accepted = "accepted are jpg, png, webp, avif, jxl, gif, tif, bmp, heic"  # not ico, unless it is configured
    for data in (b"text", b"%PDF-1.4\n", images.ico()):
        refused = shared.upload(f"{folder}/x.jpg", data)
        assert refused.status_code == 415
        assert refused.json()["detail"].endswith(f"; {accepted}"), refused.text


def test_what_is_no_whole_image_is_refused(shared: Gateway, folder: str, cat: bytes) -> None:
    for data, status in ((b"", 400), (b"text", 415), (cat[: len(cat) // 2], 422)):
        assert shared.upload(f"{folder}/x.jpg", data).status_code == status
    assert original(shared, f"{folder}/x.jpg").status_code == 404


def test_the_name_must_be_one(shared: Gateway, cat: bytes) -> None:
    for path in ("a//b.jpg", "%2E%2E/b.jpg", "@b.jpg", "a%2Fb.jpg", "%00.jpg", "a/@w=3.jpg", "x" * 1025):
        refused = shared.api.put(f"/images/{path}", content=cat)
        assert refused.status_code in (400, 405), path
    assert shared.api.put("/images/x.jpg?replace=maybe", content=cat).status_code == 400
    assert shared.api.put("/images/x.jpg?overwrite=true", content=cat).status_code == 400
