"""The service may have as many files and connections open as the system allows, whatever it was started with."""

from __future__ import annotations

import re
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from service.runtime.rlimits import MOST, most, raise_limit
from tests.gateways import running_gateway

LIMIT = """
import resource
from service.runtime.rlimits import most, raise_limit
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, hard))
raise_limit()
print(resource.getrlimit(resource.RLIMIT_NOFILE) == (max({soft}, most()), hard))
"""


def test_a_low_limit_is_raised_to_what_is_allowed() -> None:
    assert subprocess.check_output([sys.executable, "-c", LIMIT.format(soft=256)], text=True) == "True\n"


def test_a_limit_that_is_high_enough_is_left_alone() -> None:
    assert subprocess.check_output([sys.executable, "-c", LIMIT.format(soft=most())], text=True) == "True\n"


def test_the_service_has_raised_its_limit(tmp_path: Path) -> None:
    with running_gateway(tmp_path) as gateway:
        (service,) = gateway.pids("service serve")
        limits = Path(f"/proc/{service}/limits").read_text()
    found = re.search(r"^Max open files +(\d+|unlimited)", limits, re.M)
    assert found
    assert found[1] == "unlimited" or int(found[1]) >= most()
    assert most() <= MOST


def test_a_limit_that_cannot_be_raised_keeps_no_service_from_starting(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refused(_what: int, _limits: tuple[int, int]) -> None:
        raise ValueError("not allowed to raise maximum limit")

    monkeypatch.setattr(resource, "getrlimit", lambda _what: (1024, 1 << 30))
    monkeypatch.setattr(resource, "setrlimit", refused)
    raise_limit()
    assert "no more than 1024 files and connections can be open at once" in caplog.text
