"""How many examples a test takes of what it states: few, and more where the environment asks for them."""

from __future__ import annotations

import os

TIMES = int(os.environ.get("TIMES", "1"))


def examples(count: int) -> int:
    """So many, times TIMES of the environment: `make test-long` sets it."""
    return count * TIMES
