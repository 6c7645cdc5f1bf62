"""Bytes of a format at a score, between qualities that were measured."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np


def bytes_at(made: Iterable[tuple[float, float]], score: float) -> float | None:
    """Bytes at a `score`, from (score, bytes) of several qualities, interpolated on a logarithmic scale; None outside
    what was measured."""
    scores, sizes = zip(*sorted(made), strict=True)
    if not scores[0] <= score <= scores[-1]:
        return None
    return float(np.exp(np.interp(score, scores, np.log(sizes))))
