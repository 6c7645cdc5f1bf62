"""How many examples a test takes of what it states: few, and more where the environment asks for them.

Hypothesis's examples are the same in every run, so that a run fails for what was changed and not by chance. `make
test-long` sets TIMES and tries others each time; what it finds stays as an `@example`.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

TIMES = int(os.environ.get("TIMES", "1"))


def examples(count: int) -> int:
    """So many, times TIMES of the environment: `make test-long` sets it."""
    return count * TIMES


def set_up_hypothesis() -> None:
    """Have Hypothesis try the same examples in every run, or others where TIMES are more; however slow the machine."""
    settings.register_profile("same", deadline=None, derandomize=True)
    settings.register_profile("other", deadline=None, max_examples=examples(100), print_blob=True)
    settings.load_profile("same" if TIMES == 1 else "other")
    if TIMES == 1:
        # It also draws constants of the modules that are loaded, and which are depends on the tests that ran before.
        pytest.MonkeyPatch().setattr("hypothesis.internal.conjecture.providers.is_local_module_file", lambda _: False)
