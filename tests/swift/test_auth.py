"""Logging in to a real Swift in every way, and staying logged in."""

import asyncio
import dataclasses
import time
from pathlib import Path

import pytest

from service.store.errors import StoreError, Unavailable
from service.store.swift.settings import SwiftSettings, settings_from_environment
from service.store.swift.store import SwiftStore
from tests.swift.faults import NO_FAULT, Fault, FaultProxy, answer
from tests.swift.server import SwiftServer, running_swift
from tests.swift.stores import content, make_originals, put, settings_for, started
from tests.waiting import PATIENCE

V2 = {"auth_url": "{url}/v2.0", "user": "tester", "project_name": "test"}
V3 = {"auth_url": "{url}/v3", "user": "tester", "project_name": "test", "region": "here"}
CREDENTIAL = {
    "auth_url": "{url}/v3",
    "user": "",
    "key": "",
    "application_credential_id": "credential-of-tester",
    "application_credential_secret": "secret-of-the-credential",
    "region": "here",
}
WAYS = {
    "v1": {},
    "v2": V2,
    "v2 by version": V2 | {"auth_url": "{url}", "auth_version": "2"},
    "v2 with project:user": V2 | {"user": "test:tester", "project_name": ""},
    "v3": V3,
    "v3 by its project": V3 | {"auth_url": "{url}"},
    "v3 by ids": V3 | {"project_name": "", "project_id": "test", "user_domain_id": "default"},
    "v3 with domains": V3 | {"user_domain_name": "Default", "project_domain_name": "Default"},
    "v3 application credential": CREDENTIAL,
}


def settings_of(url: str, **changes: str) -> SwiftSettings:
    return settings_for(url, **{key: value.format(url=url) for key, value in changes.items()})


@pytest.mark.parametrize("way", WAYS)
async def test_every_way_to_log_in_leads_to_the_containers(swift: SwiftServer, tmp_path: Path, way: str) -> None:
    settings = settings_of(swift.url, **WAYS[way])
    make_originals(swift.url, settings)
    async with started(settings) as store:
        await put(store.originals, tmp_path, "a", b"data")
        assert await content(store.originals, tmp_path, "a") == b"data"
        assert store.pool.tokens.logins == 1


@pytest.mark.parametrize(
    "environ",
    [
        {"ST_AUTH": "{url}/auth/v1.0", "ST_USER": "test:tester", "ST_KEY": "testing"},
        {
            "OS_AUTH_URL": "{url}/v3",
            "OS_USERNAME": "tester",
            "OS_PASSWORD": "testing",
            "OS_PROJECT_NAME": "test",
            "OS_USER_DOMAIN_NAME": "Default",
            "OS_PROJECT_DOMAIN_NAME": "Default",
            "OS_REGION_NAME": "here",
            "OS_IDENTITY_API_VERSION": "3",
        },
        {
            "OS_AUTH_URL": "{url}",
            "OS_AUTH_TYPE": "v3applicationcredential",
            "OS_APPLICATION_CREDENTIAL_ID": "credential-of-tester",
            "OS_APPLICATION_CREDENTIAL_SECRET": "secret-of-the-credential",
            "OS_REGION_NAME": "here",
        },
    ],
)
async def test_the_usual_variables_are_enough(swift: SwiftServer, environ: dict[str, str]) -> None:
    blank = dataclasses.replace(settings_for(swift.url), auth_url="", user="", key="")
    make_originals(swift.url, blank)
    environ = {key: value.format(url=swift.url) for key, value in environ.items()}
    async with started(settings_from_environment(blank, environ)) as store:
        assert (await store.originals.list()).objects == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"key": ""}, "store.swift.key"),
        ({"auth_url": "", "user": ""}, "store.swift.auth_url, store.swift.user"),
        ({"key": "wrong"}, "refuses"),
        (V3 | {"key": "wrong"}, "refuses"),
        (V2 | {"key": "wrong"}, "refuses"),
        (CREDENTIAL | {"application_credential_secret": "wrong"}, "refuses"),
        (V3 | {"region": "nowhere"}, "nowhere"),
        ({"container": "not-there"}, "not-there"),
    ],
)
async def test_a_start_with_wrong_settings_stops_and_says_why(
    swift: SwiftServer, changes: dict[str, str], words: str
) -> None:
    with pytest.raises(StoreError, match=words) as failure:
        async with started(settings_of(swift.url, **changes)):
            pass
    assert not isinstance(failure.value, Unavailable)
    assert "wrong" not in str(failure.value)


async def test_an_unreachable_swift_is_no_mistake_of_the_settings() -> None:
    with pytest.raises(Unavailable):
        async with started(settings_for("http://127.0.0.1:1", timeout=1)):
            pass


async def test_tokens_are_renewed_under_load_without_a_failed_request(tmp_path: Path) -> None:
    with running_swift(tmp_path / "swift", token_life=2) as server:
        settings = settings_for(server.url)
        make_originals(server.url, settings)
        async with started(settings) as store:
            await put(store.originals, tmp_path, "a")
            began = time.monotonic()

            async def use() -> None:
                calls = 0
                while calls <= 10 or store.pool.tokens.logins < 3:
                    await store.originals.stat("a")
                    calls += 1
                    await asyncio.sleep(0.01)

            async with asyncio.timeout(PATIENCE):
                await asyncio.gather(*(use() for _ in range(6)))
            assert store.pool.tokens.logins <= 3 + time.monotonic() - began
            assert store.pool.failed == 0


async def test_a_token_that_ends_before_its_time_is_replaced_unseen(
    store: SwiftStore, proxy: FaultProxy, tmp_path: Path
) -> None:
    await put(store.originals, tmp_path, "a", b"data")
    logins = store.pool.tokens.logins
    for call in (
        lambda: content(store.originals, tmp_path, "a"),
        lambda: put(store.originals, tmp_path, "b"),
        lambda: store.originals.delete("b"),
    ):
        proxy.fault = Fault(lambda line: " /v1/" in line, times=1, answer=answer("401 Unauthorized"))
        await call()
        assert len(proxy.fault.seen) == 1
    assert store.pool.tokens.logins == logins + 3


async def test_many_refused_tokens_lead_to_one_login(store: SwiftStore, proxy: FaultProxy, tmp_path: Path) -> None:
    await put(store.originals, tmp_path, "a")
    logins = store.pool.tokens.logins
    refusal = answer("401 Unauthorized")
    proxy.fault = Fault(lambda line: " /v1/" in line, times=8, answer=refusal, together=asyncio.Barrier(8))
    await asyncio.gather(*(store.originals.stat("a") for _ in range(8)))
    assert len(proxy.fault.seen) == 8
    assert store.pool.tokens.logins - logins == 1


async def test_a_login_that_fails_for_a_while_is_no_lost_store(store: SwiftStore, proxy: FaultProxy) -> None:
    proxy.fault = Fault(answer=answer("401 Unauthorized"))
    with pytest.raises(Unavailable):
        await store.originals.stat("a")
    proxy.fault = NO_FAULT
    await asyncio.sleep(1.1)
    assert (await store.originals.list()).objects == []


async def test_a_user_who_may_not_use_the_containers_stops_the_start(swift: SwiftServer) -> None:
    settings = settings_of(swift.url, user="test:reader", key="reading")
    make_originals(swift.url, settings)
    with pytest.raises(StoreError, match="lacks the write right") as failure:
        async with started(settings):
            pass
    assert not isinstance(failure.value, Unavailable)
