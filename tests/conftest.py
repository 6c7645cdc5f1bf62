"""Fixtures that every test may use: a gateway for a whole file of tests, and a real Swift for the session.

Also the markers of each test, and the order in which files of tests begin.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from service.engine.sandbox import seccomp
from tests.cli.checking import CheckFile, checking
from tests.counts import set_up_hypothesis
from tests.gateways import Gateway, running_gateway
from tests.marking import mark, slow_first
from tests.swift.server import SwiftServer, running_swift
from tests.swift.stores import make_originals, settings_for

os.environ[seccomp.VARIABLE] = seccomp.KILL  # so that a system call that is missing in the list is noticed

# httpx reads all authorities anew for each client and each httpx.get(), which takes 40 ms; here they stay the same.
pytest.MonkeyPatch().setattr("httpx._transports.default.create_ssl_context", functools.cache(httpx.create_ssl_context))

set_up_hypothesis()


@pytest.hookimpl(tryfirst=True)  # before pytest applies -m
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        mark(item)
    slow_first(items)


@pytest.fixture(scope="session")
def swift(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SwiftServer]:
    with running_swift(tmp_path_factory.mktemp("swift")) as server:
        yield server


@pytest.fixture
def check_file(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> CheckFile:
    """`image-gateway check` in this process."""
    return checking(monkeypatch, capsys)


@pytest.fixture(scope="module")
def store_kind(request: pytest.FixtureRequest) -> str:
    """The store below `gateway`; a file that wants to run on each says so by parametrizing this."""
    return getattr(request, "param", "directory")


@pytest.fixture(scope="module")
def gateway(
    store_kind: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    """A gateway at its defaults, shared by the tests of one file."""
    options = swift_options(request.getfixturevalue("swift")) if store_kind == "swift" else {}
    with running_gateway(tmp_path_factory.mktemp("gateway"), options) as running:
        yield running


def swift_options(server: SwiftServer) -> dict[str, Any]:
    """The configuration of a gateway on containers of its own in this Swift."""
    settings = settings_for(server.url)
    make_originals(server.url, settings)
    names = ("auth_url", "user", "key", "container", "derived_container")
    return {"store": {"kind": "swift", "swift": {name: getattr(settings, name) for name in names}}}
