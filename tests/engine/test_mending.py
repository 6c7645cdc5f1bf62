"""A file is mended in memory, and holds nothing of another one."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.engine.flaws import Mended, mending


def test_a_write_that_was_broken_off_leaves_nothing_to_the_next() -> None:
    with pytest.raises(TypeError):
        mending._write(Mended([], [b"of another picture" * 100, None]))  # type: ignore[list-item]
    mending._write(Mended([], [b"short"]))
    assert Path(f"/dev/fd/{mending._FILE}").read_bytes() == b"short"
