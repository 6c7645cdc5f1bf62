"""How much work encoders spend on an image: `formats.effort`, by format word."""

from __future__ import annotations

from collections.abc import Mapping

DEFAULT_EFFORT: Mapping[str, int] = {"jpg": 0, "webp": 2, "avif": 0}
"""Chosen by CPU, bytes and score; docs/performance.md has the figures."""

MOST_EFFORT: Mapping[str, int] = {"jpg": 1, "webp": 6, "avif": 9}
"""The least is 0 for every format."""
