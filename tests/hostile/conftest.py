"""A gateway with little room, so that what is too much comes soon."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.gateways import Gateway, running_gateway

OPTIONS = {
    "engine": {"memory": "512MiB"},
    "limits": {"time": "3s", "upload": "8MiB"},
    "formats": {"accept": ["jpg", "png", "webp", "avif", "gif", "tif", "bmp", "heic", "ico"]},
}


@pytest.fixture(scope="session")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with running_gateway(tmp_path_factory.mktemp("hostile"), OPTIONS) as running:
        yield running
