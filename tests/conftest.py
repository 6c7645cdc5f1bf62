"""Fixtures that every test may use: one gateway on the embedded store for a whole file of tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gateways import Gateway, running_gateway


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway at its defaults, shared by the tests of one file."""
    root: Path = tmp_path_factory.mktemp("gateway")
    with running_gateway(root) as running:
        yield running
