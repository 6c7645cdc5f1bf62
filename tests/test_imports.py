"""What a start does not need, it does not load."""

from __future__ import annotations

import subprocess
import sys

import pytest

SWIFT = {"swiftclient", "keystoneauth1", "keystoneclient"}


@pytest.mark.parametrize(
    ("module", "needless"),
    [
        ("service.cli", {"gateway", "httpx", "pydantic", "rich", "uvloop", *SWIFT}),
        ("service.cli.gateway_commands", {"httpx", "rich", "uvloop", *SWIFT}),
        ("service.app", {"httpx", *SWIFT}),
    ],
)
def test_a_start_loads_no_client_that_only_others_need(module: str, needless: set[str]) -> None:
    code = f"import sys, {module}; print(*(name for name in {sorted(needless)!r} if name in sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout.split() == []
