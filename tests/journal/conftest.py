"""What the tests of the journal share."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.cache.work import Work
from service.journal import grouping


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Work]:
    (tmp_path / "work").mkdir()
    with contextlib.closing(Work(tmp_path / "work", None)) as folder:
        yield folder


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No entry goes by itself because it has waited, unless a test says so."""
    monkeypatch.setattr(grouping, "LONGEST_WAIT", 3600.0)
