"""A little of each long run, and how the runs are started and what they leave."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from gateway.contracts import Contract
from gateway.questions import observe
from gateway.rules import Rules
from gateway.samples import Request
from service.cache.failures import Failures
from service.engine.job import TooLarge
from tests.soak import growth, killing, parsers, twins
from tests.soak.containers import entries
from tests.soak.findings import MOST, Findings, TooMany

pytestmark = pytest.mark.slow

CASES, REQUESTS, MIXED = 400, 2000, 240


@pytest.fixture
def findings(tmp_path: Path) -> Findings:
    return Findings("part", tmp_path / "found", seed=1)


def found(findings: Findings) -> list[str]:
    return [file.read_text() for file in sorted(findings.folder.glob("*.what"))]


def test_damaged_files_are_refused_or_stripped_as_promised(findings: Findings) -> None:
    with parsers.workplace() as folder:
        outcomes = Counter(parsers.judged(findings, case, folder) for case in range(CASES))
    assert found(findings) == []
    assert {"refused", "not copied", "copied", "damaged"} <= set(outcomes)


def test_the_same_seed_and_number_make_the_same_file_and_others_do_not() -> None:
    assert parsers.made(1, 7) == parsers.made(1, 7)
    assert len({parsers.made(1, case) for case in range(100)}) > 95
    assert parsers.made(1, 7) != parsers.made(2, 7)


def test_a_stripper_that_breaks_its_promise_is_found_and_the_file_is_kept(
    findings: Findings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parsers, "shown", lambda file: file.name.encode())
    with parsers.workplace() as folder:
        case = next(case for case in range(CASES) if parsers.judged(findings, case, folder) == "found")
    kind, data = parsers.made(1, case)
    assert (findings.folder / f"part-1-{case}.{kind}").read_bytes() == data
    assert "other pixels" in found(findings)[0]


def test_the_twins_read_requests_alike(findings: Findings) -> None:
    assert twins.run(findings, REQUESTS).startswith(f"{REQUESTS} requests")
    assert found(findings) == []


def test_a_request_that_is_read_differently_is_found(findings: Findings, monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = iter(range(10**6))

    def differing(contract: Contract, request: Request, rules: Rules) -> dict[str, str]:
        return observe(contract, request, rules) | {"path": str(next(numbers))}

    monkeypatch.setattr(twins, "observe", differing)
    with pytest.raises(TooMany):
        twins.run(findings, REQUESTS)
    assert len(found(findings)) == MOST
    assert "Lua, Python: {'path': " in found(findings)[0]


def soak(folder: Path, *options: str) -> str:
    """What a run of one part prints, in a process of its own: what others here hold is not held against it."""
    command = [sys.executable, "-m", "tests.soak", *options, "--folder", str(folder)]
    environ = {**os.environ, "TMPDIR": str(folder.parent)}
    ended = subprocess.run(command, capture_output=True, text=True, timeout=400, check=False, env=environ)
    kept = [file.read_text() for file in sorted(folder.glob("*.what"))]
    assert (ended.returncode, kept) == (0, []), ended.stdout + ended.stderr
    return ended.stdout


def test_requests_of_all_kinds_leave_nothing(tmp_path: Path) -> None:
    summary = soak(tmp_path / "found", "growth", "--mixed", str(MIXED), "--seed", "1")
    assert {"200", "201", "204", "400", "404"} <= set(re.findall(r"times (\d+)", summary))


def test_a_container_that_grows_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    before = growth.Measure({"service": 0}, 1, 0, 0, 0, [], Counter({"a": 10, "b": 10}))
    after = growth.Measure({"service": 0}, 1, 0, 0, 0, [], Counter({"a": 10 + growth.FEW, "b": 11 + growth.FEW}))
    assert growth.grown(before, after, 100) == [f"b has {11 + growth.FEW} entries, before 10"]
    assert growth.grown(before, after, 10_000) == []


def test_all_containers_of_the_service_are_counted() -> None:
    held = Failures()
    before = entries()
    held.note("etag", "name", TooLarge("large"))
    assert (entries() - before)["service.cache.failures.Failures._failures"] == 1


def test_every_kind_of_process_is_killed_in_a_long_run() -> None:
    kinds = Counter(killing.victim(1, number)[0] for number in range(1000))
    assert set(kinds) == set(killing.WEIGHTS)
    assert [killing.victim(1, number)[0] for number in range(50)] == [killing.victim(1, n)[0] for n in range(50)]


def test_a_part_is_run_by_name_and_prints_its_seed(tmp_path: Path) -> None:
    printed = soak(tmp_path / "found", "twins", "--requests", "50", "--seed", "5")
    assert "seed 5, from case 0" in printed
    assert "50 requests, " in printed


def test_an_unknown_part_is_refused_with_those_that_there_are() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "tests.soak", "sleep"], capture_output=True, text=True, timeout=120, check=False
    )
    assert ended.returncode == 2
    assert "sleep is not a part; there are: parsers, twins, killing, growth" in ended.stderr
