"""One gateway for all tests of the commands; each test has a folder of its own in it, and works in one of its own."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.client import Gateway
from service.observability import logs
from tests import gateways, images
from tests.cli.terminal import Terminal

_serial = itertools.count()


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[gateways.Gateway]:
    with gateways.running_gateway(tmp_path_factory.mktemp("cli")) as running:
        yield running


@pytest.fixture
def terminal(
    shared: gateways.Gateway, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Terminal:
    monkeypatch.setattr(logs, "configure", lambda _: None)  # the log is pytest's here
    monkeypatch.chdir(tmp_path)
    return Terminal(shared, capsys)


@pytest.fixture
def client(shared: gateways.Gateway) -> Iterator[Gateway]:
    with Gateway(str(shared.api.base_url)) as gateway:
        yield gateway


@pytest.fixture
def folder() -> str:
    """A folder of its own."""
    return f"folder-{next(_serial)}"


@pytest.fixture(scope="session")
def cat() -> bytes:
    return images.jpeg(images.photo(320, 240))


@pytest.fixture(scope="session")
def dog() -> bytes:
    return images.png(images.flat(80, 60))
