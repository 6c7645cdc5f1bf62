"""The scale at which a JPEG is decoded, by what it saves and what it costs."""

from __future__ import annotations

import pytest

from service.engine.decode import scaling
from service.engine.job import Header, Job, Limits


@pytest.mark.parametrize(
    ("size", "width", "format", "n"),
    [
        ((6000, 4000), 640, "jpg", 1),  # 1.17 pixels of 1/8 for each of the result
        ((6000, 4000), 660, "jpg", 2),
        ((6000, 4000), 640, "webp", 1),
        ((6000, 4000), 640, "avif", 2),  # whose encoder costs more than the decode
        ((2725, 2225), 290, "jpg", 2),  # 1.17 too, but 1/8 saves 4 ms here and loses 4 points
        ((2725, 2225), 220, "jpg", 1),
        ((2725, 2225), 1280, "jpg", 4),  # 1.06 pixels of 1/2
        ((2725, 2225), 1280, "webp", 8),  # whose encoder costs more than the whole decode
        ((2725, 2225), 960, "webp", 4),  # 1.42
        ((6000, 4000), 2800, "webp", 4),  # 1.07, of a large original
    ],
)
def test_a_large_original_is_decoded_at_an_eighth_where_that_saves_much(
    size: tuple[int, int], width: int, format: str, n: int
) -> None:
    job = Job("derive", "", Header("jpg", *size), Limits(10**9, 1, 10000, 10000), {"w": str(width)}, format)
    assert scaling(job) == n
