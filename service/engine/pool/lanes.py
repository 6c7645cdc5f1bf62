"""The lanes in which jobs wait for an engine process: who waits for whom, and how much of the turns each gets."""

from __future__ import annotations

from typing import Literal

from service.engine.job import Header

Lane = Literal["upload", "slow", "api", "small", "large"]
"""The check of an upload, one that has turned out to be slow, an image for a client of the API, and one for the public,
of a small or a large original."""

LANES: dict[str, int] = {"upload": 2, "slow": 1, "api": 2, "small": 4, "large": 1}
"""Weights: while all wait, four small jobs are let in for each large one, and two of each kind for those inside. So a
thumbnail does not wait behind large work, and no flood of the public's keeps anybody inside from working."""

SLOW_AFTER = 0.5
"""Seconds after which the check of an upload is slow; that of a photograph of 24 megapixels takes 0.2."""

LARGE = 12_000_000
"""Pixels of an original, all frames together, from which on public work goes to the large lane."""


def most_at_once(processes: int) -> dict[str, int]:
    """Return how many processes the jobs of a lane may have at once, where it is bounded: slow checks have half."""
    return {"slow": max(1, processes // 2)}


def cost_of(header: Header) -> int:
    """Return how much work the check of an upload is likely to be, by its pixels: one more for four times as much."""
    return (header.width * header.height * header.frames).bit_length() // 2


def lane_of(header: Header, lane: Lane) -> Lane:
    """Return the lane for work on this original, asked for in `lane`: the public's large work has a lane of its own."""
    if lane == "small" and header.width * header.height * header.frames > LARGE:
        return "large"
    return lane
