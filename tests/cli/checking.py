"""`image-gateway check` in the process of the tests: the same command, but for the start of a Python."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gateway import checks
from gateway.rules import Rules
from service import cli
from service.observability import logs

CheckFile = Callable[[Path], tuple[int, str, str]]
"""Checks a configuration file; gives the exit status, and what stands on standard output and standard error."""

_compared: list[tuple[Rules, list[checks.Finding]]] = []


def checking(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> CheckFile:
    """The twins, whose comparison takes seconds, are compared once for all configurations that have the same rules."""
    compare = checks.compare

    def once(rules: Rules, lua_root: Path) -> list[checks.Finding]:
        for known, findings in _compared:
            if known == rules:
                return findings
        _compared.append((rules, list(compare(rules, lua_root))))
        return _compared[-1][1]

    def check(file: Path) -> tuple[int, str, str]:
        status = cli.main(["check", "-c", str(file)])
        return status, *capsys.readouterr()

    monkeypatch.setattr(checks, "compare", once)
    monkeypatch.setattr(logs, "configure", lambda _: None)  # this process has logs of its own
    return check
