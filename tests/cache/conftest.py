"""A derived tree, and the thread that walks it."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from service.cache import walk
from service.cache.disk import DerivedTree
from tests.cache.trees import tree_in


@pytest.fixture
def tree(tmp_path: Path) -> DerivedTree:
    return tree_in(tmp_path)


@pytest.fixture
def executor() -> Iterator[ThreadPoolExecutor]:
    made = walk.background()
    yield made
    made.shutdown()
