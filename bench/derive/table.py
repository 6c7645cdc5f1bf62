"""The results as a table in Markdown."""

from __future__ import annotations

from collections.abc import Mapping

from bench.derive.rows import Row
from bench.derive.verdict import Verdict

NAMES = ("gateway", "thumbor", "IPX", "libvips")


def text(verdicts: Mapping[Row, Verdict]) -> str:
    """A line for each row: CPU in milliseconds, ratios with their bars, scores and bytes in the order of the names."""
    compared = " | ".join(f"to {name}" for name in NAMES[1:])
    head = f"| row | {' | '.join(NAMES)} | {compared} | scores | kB | missed |"
    rule = "| --- " * head.count(" | ") + "| --- |"
    return "\n".join([head, rule, *(_line(row, verdict) for row, verdict in verdicts.items())])


def _line(row: Row, verdict: Verdict) -> str:
    found = [verdict.results.get(name) for name in NAMES]
    costs = (f"{one.cost:.1f}" if one else "" for one in found)
    compared = [verdict.comparisons.get(name) for name in NAMES[1:]]
    ratios = (f"{one.ratio:.2f} ({one.bar:.2f})" if one else "" for one in compared)
    scores = ", ".join(f"{one.score:.1f}" if one and row.is_scored else "-" for one in found)
    sizes = ", ".join(f"{one.bytes / 1000:.1f}" if one else "-" for one in found)
    missed = ", ".join(sorted(verdict.missed))
    return f"| {row.title} | {' | '.join((*costs, *ratios))} | {scores} | {sizes} | {missed} |"
