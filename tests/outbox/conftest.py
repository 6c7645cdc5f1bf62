"""Pictures for tests of the outbox."""

from __future__ import annotations

import pytest

from tests import images


@pytest.fixture(scope="session")
def cat() -> bytes:
    return images.png(images.flat(80, 60, (200, 40, 40)))


@pytest.fixture(scope="session")
def dog() -> bytes:
    return images.png(images.flat(80, 60, (40, 40, 200)))
