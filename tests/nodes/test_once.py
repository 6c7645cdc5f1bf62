"""Behind the example balancer an image is made once in the fleet, also while a node is lost and when it is back."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.nodes.once import running_fleet
from tests.swift.server import SwiftServer

pytestmark = [pytest.mark.slow, pytest.mark.nginx]
LOST = 2


def test_an_image_is_made_once_in_the_fleet(tmp_path: Path, swift: SwiftServer) -> None:
    with running_fleet(tmp_path, swift, 50) as fleet:
        assert is_once(fleet.ask_all("@w=4.png"))
        assert min(fleet.shares) > 0
        fleet.kill(LOST)
        assert fleet.ask_all("@w=4.png") == (0.0, 0)  # those of the lost node are in Swift
        assert is_once(fleet.ask_all("@w=5.png"))
        fleet.start(LOST)
        assert fleet.ask_all("@w=5.png") == (0.0, 0)
        assert is_once(fleet.ask_all("@w=6.png"))


def is_once(found: tuple[float, int]) -> bool:
    """Whether each image was made once, but for one in fifty, and every answer was an image."""
    made, failed = found
    return 1.0 <= made <= 1.02 and failed == 0
