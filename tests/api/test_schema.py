"""What the API's document promises, held against the service by schemathesis."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gateways import Gateway, running_gateway

pytestmark = pytest.mark.slow

# That every request which fits the schemas is accepted is left out: no schema tells that two parameters exclude each
# other, that a name means an image, or that bytes are one.
COMMAND = ("run", "--max-examples=10", "--phases=coverage,fuzzing", "--exclude-checks=positive_data_acceptance")
# A precondition is looked at before the body is (RFC 9110, 13.2.1), so that what fails it is 412 whatever else is wrong
# with it.
CONFIG = """
[checks.negative_data_rejection]
expected-statuses = [400, 401, 403, 404, 405, 408, 409, 412, 413, 415, 417, 422, "5xx"]
"""
STEADY = ("--seed=1", "--generation-deterministic", "--request-timeout=20", "--no-color")


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Gateway]:
    """A gateway without other images, so that every run sees the same."""
    with running_gateway(tmp_path / "gateway") as running:
        yield running


def test_no_request_that_the_document_leads_to_is_answered_against_it(
    fresh: Gateway, dog: bytes, tmp_path: Path
) -> None:
    assert fresh.upload("0", dog).status_code == 201
    program = Path(sys.executable).with_name("st")
    config = tmp_path / "schemathesis.toml"
    config.write_text(CONFIG)
    words = [str(program), f"--config-file={config}", *COMMAND, *STEADY, f"{fresh.api.base_url}/openapi.json"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
