"""What a web page of others makes a browser send to the API changes nothing, and by a name of its own reads nothing."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient
from pytest_aiohttp import AiohttpClient

from tests.api.handlers import handlers
from tests.gateways import Gateway

TOKEN = {"name": "one", "sha256": hashlib.sha256(b"one").hexdigest(), "scopes": ["read", "write", "delete", "url"]}
BEARER = {"Authorization": "Bearer one"}
OTHER_SITES = [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Sec-Fetch-Site": ""}]
OTHER_ORIGINS = [{"Origin": "https://evil.example"}, {"Origin": "null"}, {"Origin": "http://localhost:1"}]
CHANGES = [("POST", "/images/cat.jpg"), ("PUT", "/images/cat.jpg"), ("DELETE", "/images/cat.jpg"),
           ("DELETE", "/images/cat.jpg/@"), ("POST", "/images/"), ("POST", "/urls"), ("POST", "/purge"),
           ("POST", "/warm"), ("PATCH", "/images/cat.jpg"), ("POST", "/nothing"),
           ("GET", "/images/cat.jpg?url=true"), ("HEAD", "/images/cat.jpg?%75rl=true")]  # fmt: skip


@pytest.fixture
async def named(aiohttp_client: AiohttpClient, tmp_path: Path) -> AsyncIterator[TestClient[Any, Any]]:
    """Handlers that know a name of theirs."""
    async with handlers(tmp_path / "named", {"api": {"hosts": ["images.internal"]}}) as (app, _):
        yield await aiohttp_client(app)


@pytest.fixture
async def guarded(aiohttp_client: AiohttpClient, tmp_path: Path) -> AsyncIterator[TestClient[Any, Any]]:
    """Handlers that ask for a token."""
    async with handlers(tmp_path / "guarded", {"api": {"tokens": [TOKEN]}}) as (app, _):
        yield await aiohttp_client(app)


async def refusal(client: TestClient[Any, Any], method: str, path: str, headers: dict[str, str]) -> str:
    """The code of the problem that a request is refused with, and "" where it is not refused."""
    async with client.request(method, path, headers=headers) as answer:
        if answer.status != 403:
            return ""
        if method == "HEAD":
            return "cross-site"
        told = await answer.json(content_type=None)
        assert "api.hosts" in told["detail"], "the refusal does not say which option allows it"
        return str(told["type"].rpartition(":")[2])


@pytest.mark.parametrize("headers", [*OTHER_SITES, *OTHER_ORIGINS], ids=str)
@pytest.mark.parametrize(("method", "path"), CHANGES)
async def test_no_page_of_another_origin_changes_anything(
    alone: TestClient[Any, Any], method: str, path: str, headers: dict[str, str]
) -> None:
    assert await refusal(alone, method, path, headers) == "cross-site"


@pytest.mark.parametrize("headers", [*OTHER_SITES, *OTHER_ORIGINS], ids=str)
async def test_a_token_does_not_help_such_a_page(guarded: TestClient[Any, Any], headers: dict[str, str]) -> None:
    assert await refusal(guarded, "POST", "/urls", headers | BEARER) == "cross-site"
    assert await refusal(guarded, "GET", "/images", headers | BEARER) == ""


@pytest.mark.parametrize("site", ["same-origin", "none"])
async def test_our_own_pages_and_what_the_user_wrote_may(alone: TestClient[Any, Any], site: str) -> None:
    origin = f"http://127.0.0.1:{alone.port}"
    assert await refusal(alone, "POST", "/urls", {"Sec-Fetch-Site": site, "Origin": origin}) == ""


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
async def test_the_types_that_need_no_preflight_are_refused_too(alone: TestClient[Any, Any], content_type: str) -> None:
    headers = {"Content-Type": content_type, "Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    for path in ("/images/cat.jpg", "/images/", "/urls", "/purge"):
        assert await refusal(alone, "POST", path, headers) == "cross-site"


async def test_no_read_becomes_a_change_by_a_header(alone: TestClient[Any, Any]) -> None:
    for header in ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"):
        headers = {header: "DELETE", "Sec-Fetch-Site": "cross-site"}
        async with alone.get("/images", headers=headers) as answer:
            assert answer.status == 200
            assert "images" in await answer.json()
        assert await refusal(alone, "POST", "/urls", headers | {header: "GET"}) == "cross-site"


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8081", "EVIL.example.", "x.localhost", "localhost@evil.example", "127.1"]
)
async def test_without_tokens_no_page_reads_or_changes_anything_under_a_name_of_its_own(
    alone: TestClient[Any, Any], host: str
) -> None:
    for method, path in (("GET", "/images"), ("GET", "/metrics"), ("OPTIONS", "/images"), ("GET", "/docs"), *CHANGES):
        if method != "HEAD":
            assert await refusal(alone, method, path, {"Host": host}) == "unknown-host"
    for probe in ("/health/live", "/health/none"):
        assert await refusal(alone, "GET", probe, {"Host": host}) == ""


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST.:80", "192.0.2.1", "[::1]:8081", "[2001:db8::1]"])
async def test_addresses_and_localhost_are_answered(alone: TestClient[Any, Any], host: str) -> None:
    assert await refusal(alone, "GET", "/images", {"Host": host}) == ""
    assert await refusal(alone, "POST", "/urls", {"Host": host}) == ""


async def test_configured_names_are_answered_and_may_be_origins(named: TestClient[Any, Any]) -> None:
    for host in ("images.internal", "Images.Internal:8081", "images.internal."):
        assert await refusal(named, "GET", "/images", {"Host": host}) == ""
    assert await refusal(named, "GET", "/images", {"Host": "a.images.internal"}) == "unknown-host"
    page = {"Origin": "https://images.internal", "Sec-Fetch-Site": "same-origin"}  # behind a proxy that ends TLS
    assert await refusal(named, "POST", "/urls", page) == ""
    assert await refusal(named, "POST", "/urls", page | {"Sec-Fetch-Site": "cross-site"}) == "cross-site"


async def test_with_tokens_any_name_is_answered(guarded: TestClient[Any, Any]) -> None:
    assert await refusal(guarded, "GET", "/images", BEARER | {"Host": "anything.example"}) == ""


def test_a_page_on_the_machine_stores_replaces_lists_and_deletes_nothing(
    shared: Gateway, folder: str, cat: bytes, dog: bytes
) -> None:
    name = f"/images/{folder}/cat.jpg"
    assert shared.upload(f"{folder}/cat.jpg", cat).status_code == 201
    evil = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    rebound = {"Host": "evil.example:8081"}
    for headers in (evil, rebound):
        form = {"file": ("cat.jpg", dog, "image/png")}
        assert shared.api.post(name, params={"replace": "true"}, files=form, headers=headers).status_code == 403
        assert shared.api.delete(name, headers=headers).status_code == 403
    assert shared.api.get("/images", headers=rebound).status_code == 403
    assert shared.api.get(name, params={"original": "true"}).content == cat
    told = shared.api.get("/metrics").text
    assert 'image_gateway_web_refusals_total{reason="site"}' in told
    lines = [line for line in shared.log.splitlines() if "audit.refused" in line and folder in line]
    assert [line.partition("result=")[2].split('"')[1] for line in lines] == [
        "403 cross-site", "403 cross-site", "403 unknown-host", "403 unknown-host"
    ]  # fmt: skip


async def test_no_page_of_others_holds_the_document_in_a_frame(alone: TestClient[Any, Any]) -> None:
    async with alone.get("/docs") as answer:
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
