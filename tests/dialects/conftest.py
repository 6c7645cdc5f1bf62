"""A gateway with the IIIF dialect, shared by all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.gateways import Gateway, running_gateway

OPTIONS = {
    "dialects": {
        "memory": "64KiB",
        "iiif": {
            "prefix": "/iiif/3",
            "prefix_2": "/iiif/2",
            "prefix_presentation": "/iiif/presentation",
            "folders": ["folio", "scans"],
            "rights": "http://rightsstatements.org/vocab/NoC-US/1.0/",
        },
    }
}


@pytest.fixture(scope="package")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with running_gateway(tmp_path_factory.mktemp("dialects"), OPTIONS) as running:
        yield running
