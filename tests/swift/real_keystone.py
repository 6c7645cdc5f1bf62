"""The gateway's store against a real Keystone and a real Swift that asks it. Slow to install: only run when named.

pytest tests/swift/real_keystone.py
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import time
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from keystoneauth1.identity import v3
from keystoneauth1.session import Session

from service.store.errors import Forbidden, StoreError, Unavailable
from service.store.swift.settings import SwiftSettings, settings_from_environment
from tests.swift.server import HERE, environment, running_swift
from tests.swift.stores import content, put, started

REQUIREMENTS = HERE / "keystone-requirements.txt"
TOKEN_LIFE = 12  # seconds


class Keystone:
    """What an administrator does."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._roles: dict[str, str] = {}

    def session(self, user: str, password: str, project: str) -> Session:
        domains: dict[str, Any] = {"user_domain_id": "default", "project_domain_id": "default"}
        return Session(v3.Password(self.url, username=user, password=password, project_name=project, **domains))

    def post(self, path: str, session: Session | None = None, **body: Any) -> Any:
        session = session or self.session("admin", "admin", "admin")
        return next(iter(session.post(f"{self.url}{path}", json=body).json().values()))

    def user(self, project: str, name: str, role: str) -> str:
        """A user whose password is the name, with a role in a project that is made; the project's id."""
        admin = self.session("admin", "admin", "admin")
        roles = {row["name"]: row["id"] for row in admin.get(f"{self.url}/roles").json()["roles"]}
        projects = admin.get(f"{self.url}/projects").json()["projects"]
        found = [row for row in projects if row["name"] == project]
        at = found[0] if found else self.post("/projects", project={"name": project, "domain_id": "default"})
        user = self.post("/users", user={"name": name, "password": name, "domain_id": "default"})
        admin.put(f"{self.url}/projects/{at['id']}/users/{user['id']}/roles/{roles[role]}")
        return str(at["id"])


@pytest.fixture(scope="module")
def keystone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keystone]:
    root = tmp_path_factory.mktemp("keystone")
    python = environment(REQUIREMENTS) / "bin" / "python"
    with (root / "serve.log").open("w") as log:
        command = [str(python), str(HERE / "cluster" / "serve_keystone.py"), str(root), str(TOKEN_LIFE)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
    assert process.stdout is not None
    try:
        url = process.stdout.readline().strip()
        assert url, (root / "serve.log").read_text()
        keystone = Keystone(url)
        keystone.user("service", "swift", "admin")
        with running_swift(root / "swift", REQUIREMENTS, keystone=url) as swift:
            service = keystone.post("/services", service={"name": "swift", "type": "object-store"})
            keystone.post("/regions", region={"id": "here"})
            endpoint = {"service_id": service["id"], "interface": "public", "region_id": "here"}
            keystone.post("/endpoints", endpoint=endpoint | {"url": f"{swift.url}/v1/AUTH_$(project_id)s"})
            yield keystone
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
def settings(keystone: Keystone) -> SwiftSettings:
    """Settings of a new user of a new project, with an empty container of originals."""
    name = f"project-{uuid.uuid4().hex}"
    keystone.user(name, name, "member")
    session = keystone.session(name, name, name)
    session.put("/images", endpoint_filter={"service_type": "object-store", "region_name": "here"})
    return SwiftSettings(auth_url=keystone.url, user=name, key=name, project_name=name, region="here")


async def test_a_member_of_a_project_needs_nothing_else(settings: SwiftSettings, tmp_path: Path) -> None:
    async with started(settings) as store:
        await put(store.originals, tmp_path, "a", b"data")
        assert await content(store.originals, tmp_path, "a") == b"data"
        assert (await store.originals.temporary_url("a", lifetime=60)).url


async def test_an_application_credential_is_enough(keystone: Keystone, settings: SwiftSettings, tmp_path: Path) -> None:
    session = keystone.session(settings.user, settings.key, settings.project_name)
    path = f"/users/{session.get_user_id()}/application_credentials"
    made = keystone.post(path, session, application_credential={"name": "gateway"})
    credential = SwiftSettings(
        auth_url=keystone.url,
        application_credential_id=made["id"],
        application_credential_secret=made["secret"],
        region="here",
    )
    async with started(credential) as store:
        await put(store.originals, tmp_path, "a", b"data")
        assert await content(store.originals, tmp_path, "a") == b"data"


async def test_a_cloud_may_name_an_application_credential_of_its_user(
    keystone: Keystone, settings: SwiftSettings, tmp_path: Path
) -> None:
    """clouds.yaml has the login, secure.yaml the secret."""
    session = keystone.session(settings.user, settings.key, settings.project_name)
    path = f"/users/{session.get_user_id()}/application_credentials"
    made = keystone.post(path, session, application_credential={"name": "gateway"})
    login = {
        "auth_url": keystone.url,
        "username": settings.user,
        "user_domain_name": "Default",
        "application_credential_name": "gateway",
    }
    for file, auth in (("clouds.yaml", login), ("secure.yaml", {"application_credential_secret": made["secret"]})):
        (tmp_path / file).write_text(json.dumps({"clouds": {"images": {"auth": auth, "region_name": "here"}}}))
    environ = {
        "OS_CLOUD": "images",
        "OS_CLIENT_CONFIG_FILE": str(tmp_path / "clouds.yaml"),
        "OS_CLIENT_SECURE_FILE": str(tmp_path / "secure.yaml"),
    }
    async with started(settings_from_environment(SwiftSettings(), environ)) as store:
        await put(store.originals, tmp_path, "a", b"data")
        assert await content(store.originals, tmp_path, "a") == b"data"


async def test_a_reader_of_the_project_is_told_which_right_is_missing_or_does_without(
    keystone: Keystone, settings: SwiftSettings, tmp_path: Path
) -> None:
    session = keystone.session(settings.user, settings.key, settings.project_name)
    name = f"reader-{uuid.uuid4().hex}"
    project = keystone.user(settings.project_name, name, "reader")
    reader = replace(settings, user=name, key=name)
    with pytest.raises(StoreError, match=r"swift post images-derived --write-acl") as failure:
        async with started(reader):
            pass
    assert not isinstance(failure.value, Unavailable)
    reader = replace(reader, derived_needed=False)
    with pytest.raises(StoreError, match=r"swift post images --read-acl"):
        async with started(reader):
            pass
    user = keystone.session(name, name, settings.project_name).get_user_id()
    images = {"endpoint_filter": {"service_type": "object-store", "region_name": "here"}}
    session.post("/images", headers={"X-Container-Read": f"{project}:{user}"}, **images)
    session.put("/images/a", data=b"data", **images)
    async with started(reader) as store:
        assert await content(store.originals, tmp_path, "a") == b"data"
        with pytest.raises(Forbidden, match=r"write the container 'images'"):
            await put(store.originals, tmp_path, "b")


async def test_tokens_are_renewed_under_load_without_a_failed_request(settings: SwiftSettings, tmp_path: Path) -> None:
    async with started(settings) as store:
        await put(store.originals, tmp_path, "a")
        until = time.monotonic() + 2.5 * TOKEN_LIFE

        async def use() -> None:
            while time.monotonic() < until:
                await store.originals.stat("a")
                await asyncio.sleep(0.05)

        await asyncio.gather(*(use() for _ in range(4)))
        assert 3 <= store.pool.tokens.logins <= 6
        assert store.pool.failed == 0
