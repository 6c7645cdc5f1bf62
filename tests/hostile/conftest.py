"""A gateway with little room, so that what is too much comes soon."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.gateways import Gateway, running_gateway

OPTIONS: dict[str, dict[str, Any]] = {
    "engine": {"memory": "512MiB"},
    "limits": {"time": "3s", "upload": "8MiB"},
    "formats": {"accept": ["jpg", "png", "webp", "avif", "gif", "tif", "bmp", "heic", "ico"]},
}


@pytest.fixture(scope="session")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with running_gateway(tmp_path_factory.mktemp("hostile"), OPTIONS) as running:
        yield running


@pytest.fixture(scope="session")
def patient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """The same, but for the time: what fits into its memory is made, however busy the machine is."""
    options = {**OPTIONS, "limits": {**OPTIONS["limits"], "time": "60s"}}
    with running_gateway(tmp_path_factory.mktemp("patient"), options) as running:
        yield running
