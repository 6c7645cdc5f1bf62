"""What the API's document promises, held against the service by schemathesis."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.gateways import Gateway

# That every request which fits the schemas is accepted is left out: no schema tells that two parameters exclude each
# other, that a name means an image, or that bytes are one.
COMMAND = ("run", "--max-examples=10", "--phases=coverage,fuzzing", "--exclude-checks=positive_data_acceptance")
# That a store has no temporary URLs is 501, and no failure of the server.
CONFIG = '[checks.not_a_server_error]\nexpected-statuses = ["2xx", "3xx", "4xx", 501]\n'
STEADY = ("--seed=1", "--generation-deterministic", "--request-timeout=20", "--no-color")


def test_no_request_that_the_document_leads_to_is_answered_against_it(
    shared: Gateway, dog: bytes, tmp_path: Path
) -> None:
    assert shared.upload("0", dog).status_code == 201
    program = Path(sys.executable).with_name("st")
    config = tmp_path / "schemathesis.toml"
    config.write_text(CONFIG)
    words = [program, f"--config-file={config}", *COMMAND, *STEADY, f"{shared.api.base_url}/openapi.json"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
