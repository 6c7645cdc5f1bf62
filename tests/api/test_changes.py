"""Purging, tokens, and the audit of changes."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator

import httpx
import pytest

from tests.gateways import Gateway, running_gateway

TOKENS = {
    "reader": ["read"],
    "writer": ["read", "write"],
    "linker": ["url"],
    "cleaner": ["delete"],
    "scraper": ["metrics"],
}


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory, dog: bytes) -> Iterator[Gateway]:
    """A gateway with tokens; each is the name of its client."""
    tokens = [
        {"name": name, "sha256": hashlib.sha256(name.encode()).hexdigest(), "scopes": scopes}
        for name, scopes in TOKENS.items()
    ]
    with running_gateway(tmp_path_factory.mktemp("guarded"), {"api": {"tokens": tokens}}) as running:
        put = running.api.put("/images/dog.png", content=dog, headers=bearer("writer"))
        assert put.status_code == 201
        yield running


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/images", {"reader", "writer"}),
        ("GET", "/images/dog.png", {"reader", "writer"}),
        ("GET", "/images/dog.png?original=true", {"reader", "writer"}),
        ("GET", "/images/dog.png?url=true", {"linker"}),
        ("POST", "/images/dog.png?url=true", {"writer"}),
        ("PUT", "/images/dog.png", {"writer"}),
        ("POST", "/uploads", {"writer"}),
        ("POST", "/uploads/none", {"writer"}),
        ("GET", "/events", {"reader", "writer"}),
        ("GET", "/journal?entry=1700000000.000000/a-b/put/-/0/dog.png", {"reader", "writer", "cleaner"}),
        ("POST", "/urls", {"linker"}),
        ("POST", "/purge", {"cleaner"}),
        ("POST", "/warm", {"writer"}),
        ("GET", "/stats", {"reader", "writer"}),
        ("DELETE", "/images/none.png", {"cleaner"}),
        ("DELETE", "/images/dog.png/@", {"cleaner"}),
        ("GET", "/formats", {"reader", "writer"}),
        ("GET", "/metrics", {"reader", "writer", "scraper"}),
        ("HEAD", "/metrics", {"reader", "writer", "scraper"}),
    ],
)
def test_a_token_does_what_its_scopes_say_and_no_more(
    guarded: Gateway, method: str, path: str, allowed: set[str]
) -> None:
    let_through = {
        token for token in TOKENS if guarded.api.request(method, path, headers=bearer(token)).status_code != 403
    }
    assert let_through == allowed
    for headers in ({}, bearer("stranger"), {"Authorization": "Basic reader"}):
        refused = guarded.api.request(method, path, headers=headers)
        assert refused.status_code == 401
        assert refused.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/openapi.json", "/docs", "/docs/docs.js"])
def test_what_tells_nothing_of_the_images_needs_no_token(guarded: Gateway, path: str) -> None:
    assert guarded.api.get(path).status_code == 200


def test_every_change_has_its_line_and_no_line_has_a_token(guarded: Gateway, dog: bytes) -> None:
    guarded.api.put("/images/audit/new.png", content=dog, headers=bearer("writer"))
    guarded.api.put("/images/audit/new.png", content=dog, headers=bearer("writer"))
    guarded.api.delete("/images/audit/new.png", headers=bearer("cleaner"))
    guarded.api.post("/purge", json={"prefix": "audit/"}, headers=bearer("cleaner"))
    lines = [line.partition(" audit: ")[2] for line in guarded.log.splitlines() if " audit: " in line]
    told = [re.sub(r" \[[0-9a-f]{32}\]$", "", line) for line in lines if "audit/" in line]
    head = 'from="127.0.0.1" what='
    assert told == [
        f'who="writer" {head}"upload" name="audit/new.png" result="done"',
        f'who="writer" {head}"upload" name="audit/new.png" result="409 name-exists"',
        f'who="cleaner" {head}"delete" name="audit/new.png" result="done"',
        f'who="cleaner" {head}"purge" name="audit/*" result="done"',
    ]
    assert "Bearer" not in guarded.log


def derive(gateway: Gateway, name: str) -> httpx.Response:
    answered = gateway.api.get(f"/images/{name}/@w=20.png")
    assert answered.status_code == 200
    return answered


def test_a_purge_removes_what_was_derived_and_nothing_else(shared: Gateway, folder: str, dog: bytes) -> None:
    names = [f"{folder}/{letter}.png" for letter in "abc"]
    for name in names:
        assert shared.upload(name, dog).status_code == 201
        first = derive(shared, name)
    assert first.headers["X-Cache"] == "MISS"
    assert derive(shared, names[0]).headers["X-Cache"].startswith("HIT")
    for path, body in (
        ("DELETE", None),
        ("POST", {"names": [names[0]]}),
        ("POST", {"prefix": f"{folder}/"}),
        ("POST", {"all": True}),
    ):
        derive(shared, names[0])
        if path == "DELETE":
            assert shared.api.delete(f"/images/{names[0]}/@").status_code == 204
        else:
            purged = shared.api.post("/purge", json=body)
            assert purged.status_code == 200, purged.text
            assert purged.json()["files"] >= 1
        assert not list((shared.derived / names[0]).glob("@w*"))
        assert derive(shared, names[0]).headers["X-Cache"] == "MISS"
        assert shared.api.get(f"/images/{names[0]}", params={"original": "true"}).content == dog


def test_a_body_that_is_no_object_is_told_what_it_must_be(shared: Gateway) -> None:
    refused = shared.api.post("/purge", content="[]", headers={"Content-Type": "application/json"})
    assert refused.status_code == 400
    assert refused.json()["detail"] == 'the body must be an object, such as {"key": value}'


@pytest.mark.parametrize(
    "body", ["{}", '{"names": []}', '{"all": true, "prefix": "a"}', '{"names": ["a//b"]}', "[", '{"name": "a"}', ""]
)
def test_a_purge_that_is_not_clear_removes_nothing(shared: Gateway, body: str) -> None:
    headers = {"Content-Type": "application/json"}
    assert shared.api.post("/purge", content=body, headers=headers).status_code == 400
    assert shared.api.post("/purge", content='{"all": true}', headers={"Content-Type": "text/plain"}).status_code == 415
