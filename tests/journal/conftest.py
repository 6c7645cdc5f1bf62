"""What the tests of the journal share."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.cache.work import Work


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Work]:
    (tmp_path / "work").mkdir()
    with contextlib.closing(Work(tmp_path / "work", None)) as folder:
        yield folder
