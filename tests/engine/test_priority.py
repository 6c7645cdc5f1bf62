"""What an engine process takes of the cores: less than the service in the same group, never less beside others."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.processes import cpu
from service.engine.pool import priority
from tests import images
from tests.engine.pools import Begin, staffed
from tests.gateways import Gateway
from tests.waiting import PATIENCE

ROOT = Path(__file__).resolve().parents[2]
SPIN = "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\nwhile True: pass"
SERVICE = f"""
import os, subprocess, sys
from service.engine.pool import priority
child = os.fork()
if child == 0:
    priority.stand_back()
    exec({SPIN!r})
print(child, flush=True)
sys.stdin.read()
os.kill(child, 9)
"""


def autogroup(pid: int | str) -> str:
    return Path(f"/proc/{pid}/autogroup").read_text()


async def test_an_engine_process_is_in_the_group_of_the_service_and_yields_within_it(
    begin: Begin, tmp_path: Path
) -> None:
    (pid,) = await staffed(await begin(processes=1), tmp_path)
    assert os.getsid(pid) == os.getsid(0)
    assert os.getpgid(pid) == pid
    own = os.getpriority(os.PRIO_PROCESS, 0)
    expected = min(19, own + priority.NICENESS) if priority.is_grouped() else own
    assert os.getpriority(os.PRIO_PROCESS, pid) == expected
    if Path("/proc/self/autogroup").exists():
        assert autogroup(pid) == autogroup("self")


def test_the_group_of_the_service_has_the_weight_of_any_other(gateway: Gateway) -> None:
    (service,) = gateway.pids("service serve")
    assert gateway.upload("priority.png", images.png()).status_code == 201  # its check needs an engine process
    engines = gateway.pids("service.engine.pool.worker")
    assert engines
    assert {os.getsid(pid) for pid in engines} == {os.getsid(service)}
    if Path("/proc/self/autogroup").exists():
        assert {autogroup(pid) for pid in engines} == {autogroup(service)}
        assert autogroup(service).split()[-1] == "0"


@pytest.fixture
def service() -> Iterator[int]:
    """The id of a process that spins as an engine process of a service in a session of its own, on the first core."""
    started = subprocess.Popen(
        [sys.executable, "-c", SERVICE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert started.stdout is not None
    yield int(started.stdout.readline())
    started.communicate(b"")


@pytest.fixture
def neighbour() -> Iterator[int]:
    """The id of a process of the usual priority that spins in a session of its own, on the first core."""
    started = subprocess.Popen([sys.executable, "-c", SPIN], start_new_session=True)
    yield started.pid
    started.kill()
    started.wait()


def test_a_neighbour_gets_no_more_of_a_core_than_an_engine_process(service: int, neighbour: int) -> None:
    if priority._has_cpu_group():
        return  # this neighbour would be in the same group, for a control group comes before sessions
    began = [cpu([service]), cpu([neighbour])]
    end = time.monotonic() + PATIENCE
    while min(used := (cpu([service]) - began[0], cpu([neighbour]) - began[1])) < 0.3 and time.monotonic() < end:
        time.sleep(0.05)
    assert used[0] > 0.6 * used[1]


@pytest.mark.parametrize(
    ("autogroups", "control_groups", "unified", "grouped"),
    [
        ("1", "0::/", (), True),
        ("0", "0::/", (), False),
        (None, "0::/", (), False),
        ("0", "0::/unit", ("unit",), True),
        ("0", "0::/unit", (), False),
        ("0", "4:cpu,cpuacct:/unit\n0::/unit", (), True),
        ("0", "4:cpu,cpuacct:/\n1:memory:/unit\n0::/", (), False),
    ],
)
def test_without_groups_niceness_would_count_against_everybody(
    autogroups: str | None,
    control_groups: str,
    unified: tuple[str, ...],
    grouped: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for folder in unified:
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "cpu.weight").write_text("100")
    (tmp_path / "cgroup").write_text(f"{control_groups}\n")
    if autogroups is not None:
        (tmp_path / "autogroup").write_text(f"{autogroups}\n")
    monkeypatch.setattr(priority, "_AUTOGROUP", tmp_path / "autogroup")
    monkeypatch.setattr(priority, "_OWN_GROUPS", tmp_path / "cgroup")
    monkeypatch.setattr(priority, "_UNIFIED", tmp_path)
    assert priority.is_grouped() == grouped
