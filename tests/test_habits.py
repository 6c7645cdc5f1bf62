"""The commands of a day's work: the linters before a commit, the tests of one area, the markers of a test."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import yaml
from hypothesis import settings

from tests import marking
from tests.counts import TIMES, examples

HOME = Path(__file__).resolve().parent.parent
LINT = HOME / "scripts/lint"
PARTS = re.findall(r"^lint_(\w+)\(\)", LINT.read_text(), re.MULTILINE)


def test_a_commit_runs_every_linter_and_downloads_nothing() -> None:
    (repository,) = yaml.safe_load((HOME / ".pre-commit-config.yaml").read_text())["repos"]
    assert repository["repo"] == "local"
    assert [hook["entry"] for hook in repository["hooks"]] == [f"scripts/lint {part}" for part in PARTS]
    assert {hook["language"] for hook in repository["hooks"]} == {"system"}


def test_without_a_name_every_linter_runs() -> None:
    assert f"set -- {' '.join(PARTS)}\n" in LINT.read_text()


def test_one_linter_runs_alone() -> None:
    ended = subprocess.run([LINT, "docker"], capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr.splitlines() == ["lint: hadolint Dockerfile"]


def test_an_unknown_linter_is_refused_with_those_that_there_are() -> None:
    ended = subprocess.run([LINT, "spelling"], capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 2
    assert ended.stderr == f"lint: unknown part spelling; known: {', '.join(PARTS)}\n"


def test_every_area_of_the_makefile_is_a_folder_of_tests() -> None:
    (areas,) = re.findall(r"^AREAS := (.*)$", (HOME / "Makefile").read_text(), re.MULTILINE)
    for area in areas.split():
        assert list((HOME / "tests" / area).glob("test_*.py")), area
        command = ["make", "--no-print-directory", "-n", f"test-{area}"]
        planned = subprocess.run(command, cwd=HOME, capture_output=True, text=True, check=True).stdout
        assert f'pytest tests/{area} -m "not swift and not slow"' in planned


def test_a_test_of_a_gateway_is_marked(request: pytest.FixtureRequest, gateway: object) -> None:
    assert {mark.name for mark in request.node.iter_markers()} == {"nginx"}


@pytest.mark.parametrize("store_kind", ["swift"], indirect=True)
def test_a_test_on_swift_is_marked(request: pytest.FixtureRequest, store_kind: str) -> None:
    assert "swift" in {mark.name for mark in request.node.iter_markers()}


def test_what_starts_nothing_has_no_marker(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    assert not list(request.node.iter_markers())


def test_the_functions_that_markers_are_derived_from_exist() -> None:
    for module, function in marking.STARTERS:
        text = (HOME / f"{module.replace('.', '/')}.py").read_text()
        assert f"def {function}(" in text, (module, function)


def test_hypothesis_tries_the_same_examples_in_every_run_but_the_long_one() -> None:
    assert settings().derandomize == (TIMES == 1)
    assert settings().max_examples == examples(100)
    assert settings().deadline is None, "a busy machine would fail a test"
