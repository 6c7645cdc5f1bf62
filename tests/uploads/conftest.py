"""One gateway on each store for all tests of uploads straight to the store."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conftest import swift_options
from tests.gateways import running_gateway
from tests.uploads.subjects import INCOMING, OPTIONS, Subject


@pytest.fixture(scope="session", params=["directory", "swift"])
def subject(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Subject]:
    options, server, container = dict(OPTIONS), None, ""
    if request.param == "swift":
        server = request.getfixturevalue("swift")
        options |= swift_options(server)
        options["store"]["swift"]["incoming_container"] = INCOMING
        container = options["store"]["swift"]["container"]
    with running_gateway(tmp_path_factory.mktemp("direct"), options) as running:
        yield Subject(running, server, container)
