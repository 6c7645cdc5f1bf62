"""`image-gateway check` in the process of the tests: the same command, but for the start of a Python.

What takes seconds is asked once for all configurations in which the answer is the same: whether the twins agree under
the rules, whether ImageMagick keeps its policy, and which formats it can read and write under it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

from gateway import checks
from gateway.rules import Rules
from gateway.settings import Config
from service import cli
from service.cli.check import engine
from service.engine.sandbox.policy import prove_policy
from service.observability import logs
from service.runtime.imagemagick import capabilities

CheckFile = Callable[[Path], tuple[int, str, str]]
"""Checks a configuration file; gives the exit status, and what stands on standard output and standard error."""

T = TypeVar("T")
_answers: dict[tuple[str, str], object] = {}


def checking(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> CheckFile:
    compare = checks.compare

    def compare_once(rules: Rules, lua_root: Path) -> list[checks.Finding]:
        return _once("twins", repr((rules, lua_root)), lambda: list(compare(rules, lua_root)))

    def prove_once(folder: Path) -> dict[str, str]:
        return _once("policy", (folder / "policy.xml").read_text(), lambda: prove_policy(folder))

    def ask_once(config: Config) -> dict[str, tuple[bool, bool]]:
        return _once("formats", repr((config.formats, config.limits, config.engine)), lambda: capabilities(config))

    def check(file: Path) -> tuple[int, str, str]:
        status = cli.main(["check", "-c", str(file)])
        return status, *capsys.readouterr()

    monkeypatch.setattr(checks, "compare", compare_once)
    monkeypatch.setattr(engine, "prove_policy", prove_once)
    monkeypatch.setattr(engine, "capabilities", ask_once)
    monkeypatch.setattr(logs, "configure", lambda _: None)  # this process has logs of its own
    return check


def _once(what: str, question: str, ask: Callable[[], T]) -> T:
    if (what, question) not in _answers:
        _answers[what, question] = ask()
    answer: T = _answers[what, question]  # type: ignore[assignment]
    return answer
