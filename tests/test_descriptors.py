"""The service may have as many files and connections open as the system allows, whatever it was started with."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from service.descriptors import MOST, most
from tests.gateways import running_gateway

LIMIT = """
import resource
from service.descriptors import most, raise_limit
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
