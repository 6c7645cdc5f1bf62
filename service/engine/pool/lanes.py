"""The lanes in which jobs wait for an engine process: who waits for whom, and how much of the turns each gets."""

from __future__ import annotations

from typing import Literal

from service.engine.job import Header

Lane = Literal["upload", "api", "small", "large"]
"""The check of an upload, an image for a client of the API, and one for the public, of a small or a large original."""

LANES: dict[str, int] = {"upload": 2, "api": 2, "small": 4, "large": 1}
"""Weights: while all wait, four small jobs are let in for each large one, and two of each kind for those inside. So a
thumbnail does not wait behind large work, and no flood of the public's keeps anybody inside from working."""

LARGE = 12_000_000
"""Pixels of an original, all frames together, from which on public work goes to the large lane."""


def lane_of(header: Header, lane: Lane) -> Lane:
    """Return the lane for work on this original, asked for in `lane`: the public's large work has a lane of its own."""
    if lane == "small" and header.width * header.height * header.frames > LARGE:
        return "large"
    return lane
